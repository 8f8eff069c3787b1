"""The writer to copy into a training program. It needs only Python's standard library, 3.9 or newer."""

import functools
import json
import logging
import os
from pathlib import Path


@functools.lru_cache(maxsize=100)  # Logs each problem once, not once a batch.
def report_once(problem):
    logging.warning("Metrics were not written: %s", problem)


def write_metrics(path, document):
    """Replaces the file at `path` with `document` as JSON. Numbers of numpy and torch are accepted. A failure is logged
    and never raised, so that it cannot stop the training."""
    try:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, because a rename is atomic only within one file system.
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_text(json.dumps(document, default=float), encoding="utf-8")
        # The bridge usually runs as another user, which must be able to read the file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except Exception as error:
        report_once(f"{type(error).__name__}: {error}")
