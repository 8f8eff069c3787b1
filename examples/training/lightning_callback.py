"""Writes the metrics file from PyTorch Lightning: Trainer(callbacks=[MetricsFile(path, job_id="my-job")])"""

from datetime import datetime, timezone

from lightning.pytorch.callbacks import Callback
from metrics_writer import write_metrics


class MetricsFile(Callback):
    def __init__(self, path, **job):
        self.path, self.progress, self.job = path, {}, {**job, "start_time": datetime.now(timezone.utc).isoformat()}

    def write(self, trainer, status, **fields):
        if trainer.is_global_zero:
            metrics = {**trainer.callback_metrics, **self.progress}
            write_metrics(self.path, {"status": status, "job_metadata": self.job, "training_metrics": metrics, **fields})

    def on_train_batch_end(self, trainer, *args):
        total = {"total_steps": n} if 0 < (n := trainer.estimated_stepping_batches) < float("inf") else {}
        self.progress = {"epoch": trainer.current_epoch + 1, "global_step": trainer.global_step, **total}
        if trainer.global_step % trainer.log_every_n_steps == 0:
            self.write(trainer, "running")

    def on_fit_end(self, trainer, module):
        self.write(trainer, "completed")

    def on_exception(self, trainer, module, exception):
        self.write(trainer, "failed", error={"type": type(exception).__name__, "message": str(exception)})
