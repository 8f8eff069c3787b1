"""Writes the metrics file from Hugging Face's Trainer: Trainer(..., callbacks=[MetricsFile(path, job_id="my-job")])"""

import math
from datetime import datetime, timezone

from metrics_writer import write_metrics
from transformers import TrainerCallback


class MetricsFile(TrainerCallback):
    def __init__(self, path, **job):
        self.path, self.metrics = path, {}
        self.job = {**job, "start_time": datetime.now(timezone.utc).isoformat()}

    def write(self, state, status="running"):
        epoch = math.ceil(state.epoch or 1)
        self.metrics.update(epoch=epoch, global_step=state.global_step, total_steps=state.max_steps)
        if state.is_world_process_zero:
            write_metrics(self.path, {"status": status, "job_metadata": self.job, "training_metrics": self.metrics})

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "train_runtime" not in (logs or {}):  # A summary, whose train_loss is the mean of the whole run.
            self.metrics.update(logs or {})
        self.write(state)

    def on_train_end(self, args, state, control, **kwargs):
        self.write(state, "completed")
