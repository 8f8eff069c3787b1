"""The command line of the training scripts."""

import argparse
import os


def parse_options():
    parser = argparse.ArgumentParser()
    # "or", because an empty variable counts as not set.
    default_file = os.environ.get("METRICS_FILE_PATH") or "/shared/metrics/current.json"
    parser.add_argument("--metrics-file", default=default_file, help="default: METRICS_FILE_PATH, here %(default)s")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.1, help="inf makes the loss NaN (default: %(default)s)")
    return parser.parse_args()
