"""Trains a linear model with scikit-learn's partial_fit:

    python3 train_sklearn.py --metrics-file /tmp/metrics/current.json

It needs scikit-learn: pip install scikit-learn
"""

import time
from datetime import datetime, timezone

import numpy as np
from metrics_writer import write_metrics
from options import parse_options
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss

options = parse_options()
rng = np.random.default_rng(1)
x = rng.normal(size=(640, 2)) ** 2
y = (x.sum(axis=1) < 1.0).astype(int)
start_time = datetime.now(timezone.utc).isoformat()
job = {"job_id": "sklearn-001", "model_name": "sgd", "dataset": "disc", "start_time": start_time}
metrics = {"total_epochs": options.epochs, "batches_per_epoch": 15}


def report(status="running", **measured):
    metrics.update(measured)
    write_metrics(options.metrics_file, {"status": status, "job_metadata": job, "training_metrics": metrics})


model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=options.learning_rate)
for epoch in range(1, options.epochs + 1):
    for batch_number, batch in enumerate(np.split(rng.permutation(480), 15), start=1):
        started = time.perf_counter()
        model.partial_fit(x[batch], y[batch], classes=[0, 1])
        elapsed_ms = (time.perf_counter() - started) * 1000.0
        training_loss = log_loss(y[batch], model.predict_proba(x[batch]), labels=[0, 1])
        step = {"epoch": epoch, "batch_number": batch_number, "global_step": (epoch - 1) * 15 + batch_number}
        report(**step, training_loss=training_loss, processing_time_ms=elapsed_ms)
    validation_loss = log_loss(y[480:], model.predict_proba(x[480:]), labels=[0, 1])
    report(validation_loss=validation_loss, accuracy=model.score(x[480:], y[480:]))
report("completed")
