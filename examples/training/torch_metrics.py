"""Writes the metrics file, and those of the other ranks, from a plain PyTorch loop: report(path, job, step, …)"""

import os

from metrics_writer import write_metrics

rank, local_rank = int(os.environ.get("RANK", 0)), int(os.environ.get("LOCAL_RANK", 0))  # torchrun sets them.


def report(path, job, step, compute_ms, status="running", **metrics):
    """`compute_ms` is the time that this rank worked on the step before it waited for the others."""
    progress = {"global_step": step, "rank_compute_ms": compute_ms}
    if local_rank == 0:
        job = {**job, "rank": rank}
        write_metrics(path, {"status": status, "job_metadata": job, "training_metrics": {**progress, **metrics}})
    else:
        write_metrics(os.path.join(os.path.dirname(path), f"rank-{rank}.json"), {"rank": rank, **progress})
