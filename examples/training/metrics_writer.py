"""The writer to copy into a training program: it needs nothing but Python's standard library, 3.9 or newer."""

import json
import logging
import os
from pathlib import Path


def write_metrics(path, document):
    """Replaces the file at `path` with `document` as JSON. A failure is logged and never raised: metrics must not
    stop the training."""
    try:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, because only there is the replacement atomic. Not tempfile.mkstemp: its files are for
        # their owner alone, and the bridge often runs as another user.
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_text(json.dumps(document), encoding="utf-8")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except Exception as error:
        # All of them, because a tensor that json cannot write is as likely here as a full volume.
        logging.warning("metrics were not written: %s: %s", type(error).__name__, error)
