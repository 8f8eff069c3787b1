"""Writes the metrics file from Keras: model.fit(x, y, callbacks=[MetricsFile(path, job_id="my-job")])"""

from datetime import datetime, timezone

import keras
from metrics_writer import write_metrics


class MetricsFile(keras.callbacks.Callback):
    def __init__(self, path, **job):
        super().__init__()
        self.path, self.metrics, self.job = path, {}, {**job, "start_time": datetime.now(timezone.utc).isoformat()}

    def write(self, logs, status="running", **position):
        self.metrics = {**self.metrics, **(logs or {}), **position}
        write_metrics(self.path, {"status": status, "job_metadata": self.job, "training_metrics": self.metrics})

    def on_epoch_begin(self, epoch, logs=None):
        self.metrics.update(epoch=epoch + 1, total_epochs=self.params["epochs"])

    def on_train_batch_end(self, batch, logs=None):
        step = self.metrics.get("global_step", 0) + 1
        self.write(logs, batch_number=batch + 1, batches_per_epoch=self.params["steps"], global_step=step)

    def on_epoch_end(self, epoch, logs=None):
        self.write(logs)

    def on_train_end(self, logs=None):
        self.write(logs, "completed")
