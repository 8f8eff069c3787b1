"""Trains a small network and writes a metrics file: python3 train.py --metrics-file /tmp/metrics/current.json"""

import argparse
import os
import random
import signal
import sys
import time
from datetime import datetime, timezone

from metrics_writer import write_metrics
from network import Network, make_rings


def arguments():
    parser = argparse.ArgumentParser(description="Trains a small network and writes its metrics to a file.")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batches-per-epoch", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=0.05, help="10 diverges to NaN (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same losses (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between batches (default: %(default)s)")
    # "or", because an empty variable counts as not set.
    default_file = os.environ.get("METRICS_FILE_PATH") or "/shared/metrics/current.json"
    parser.add_argument("--metrics-file", default=default_file, help="default: METRICS_FILE_PATH, here %(default)s")
    chosen = parser.parse_args()
    if min(chosen.epochs, chosen.batches_per_epoch, chosen.batch_size) < 1 or chosen.pause < 0:
        parser.error("--epochs, --batches-per-epoch and --batch-size must be at least 1, --pause at least 0")
    return chosen


def now():
    # Without timespec, isoformat leaves out microseconds that are 0.
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def train(options, report):
    """Trains, and calls `report(**metrics)` before the first batch and after every batch."""
    rng = random.Random(options.seed)
    training_set = make_rings(options.batches_per_epoch * options.batch_size, rng)
    held_out = make_rings(200, rng)
    network = Network([2, 16, 16, 1], rng)
    validation_loss, accuracy = network.evaluate(held_out)
    # Only what was measured is reported: no loss before the first batch, and no gpu_utilization without a GPU.
    report(epoch=1, batch_number=0, global_step=0, validation_loss=validation_loss, accuracy=accuracy)

    for epoch in range(1, options.epochs + 1):
        rng.shuffle(training_set)
        for batch_number in range(1, options.batches_per_epoch + 1):
            last = batch_number * options.batch_size
            started = time.perf_counter()
            training_loss = network.train(training_set[last - options.batch_size : last], options.learning_rate)
            elapsed = time.perf_counter() - started
            if batch_number == options.batches_per_epoch:
                validation_loss, accuracy = network.evaluate(held_out)
                print(
                    f"epoch {epoch}/{options.epochs}: loss {training_loss:.4g}, "
                    f"validation loss {validation_loss:.4g}, accuracy {accuracy:.3f}",
                    flush=True,
                )
            report(
                epoch=epoch,
                batch_number=batch_number,
                global_step=(epoch - 1) * options.batches_per_epoch + batch_number,
                training_loss=training_loss,
                validation_loss=validation_loss,
                accuracy=accuracy,
                processing_time_ms=elapsed * 1000.0,
                samples_per_second=options.batch_size / elapsed,
            )
            time.sleep(options.pause)


def main():
    options = arguments()
    job = {"job_id": "rings-001", "model_name": "mlp-2-16-16-1", "dataset": "rings", "start_time": now()}
    document = {}

    def report(**metrics):
        total = {"total_epochs": options.epochs, "batches_per_epoch": options.batches_per_epoch}
        is_last = metrics["global_step"] == options.epochs * options.batches_per_epoch
        document.update(
            timestamp=now(),
            status="completed" if is_last else "running",
            job_metadata=job,
            training_metrics={**metrics, **total, "learning_rate": options.learning_rate},
        )
        write_metrics(options.metrics_file, document)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        train(options, report)
    # BaseException includes Ctrl-C and SIGTERM. A run that only stops writing looks like one that hangs.
    except BaseException as error:
        document.update(timestamp=now(), status="failed", error={"type": type(error).__name__, "message": str(error)})
        write_metrics(options.metrics_file, document)
        if isinstance(error, KeyboardInterrupt):
            sys.exit("stopped")
        raise


if __name__ == "__main__":
    main()
