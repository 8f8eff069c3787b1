"""The least program with the OpenTelemetry SDK for Python that exports the same nine metrics of the same file."""

import json
import os
import signal
import time

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

PATH = os.environ["METRICS_FILE_PATH"]
INTERVAL = float(os.environ["INTERVAL_SECONDS"])
EXPORT_INTERVAL = float(os.environ["EXPORT_INTERVAL_SECONDS"])
GAUGES = {
    "training_loss": "ml.training.loss",
    "validation_loss": "ml.validation.loss",
    "accuracy": "ml.training.accuracy",
    "learning_rate": "ml.training.learning_rate",
    "gpu_utilization": "ml.training.gpu_utilization",
}
COUNTERS = {"batch_number": "ml.training.batch_number", "epoch": "ml.training.epoch"}
HISTOGRAMS = {
    "processing_time_ms": ("ml.training.processing_time", "ms"),
    "samples_per_second": ("ml.training.samples_per_second", "{sample/s}"),
}

exporter = OTLPMetricExporter(endpoint=f"http://{os.environ['TARGET']}", insecure=True)
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=EXPORT_INTERVAL * 1000)
provider = MeterProvider(resource=Resource({"service.name": "peer"}), metric_readers=[reader])
meter = provider.get_meter("peer")
latest = {}
attributes = {}


def observe(field):
    return lambda _: [Observation(latest[field], attributes)] if field in latest else []


for field, name in GAUGES.items():
    meter.create_observable_gauge(name, callbacks=[observe(field)])
for field, name in COUNTERS.items():
    meter.create_observable_counter(name, callbacks=[observe(field)])
histograms = {field: meter.create_histogram(name, unit) for field, (name, unit) in HISTOGRAMS.items()}

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
seen = None
while True:
    with open(PATH, "rb") as file:
        content = file.read()
    if content != seen:
        seen = content
        document = json.loads(content)
        job = document["job_metadata"]
        latest = document["training_metrics"]
        attributes = {"job.id": job["job_id"], "model.name": job["model_name"], "dataset": job["dataset"]}
        for field, histogram in histograms.items():
            histogram.record(latest[field], attributes)
    time.sleep(INTERVAL)
