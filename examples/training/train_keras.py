"""Trains a small network with Keras: python3 train_keras.py --metrics-file /tmp/metrics/current.json

It needs Keras and one of its backends: pip install keras jax
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras_callback import MetricsFile
from options import parse_options

options = parse_options()
keras.utils.set_random_seed(1)
x = np.random.default_rng(1).normal(size=(640, 2)).astype("float32")
y = (np.square(x).sum(axis=1, keepdims=True) < 1.0).astype("float32")

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.SGD(options.learning_rate), "binary_crossentropy", metrics=["accuracy"])
model.fit(
    x,
    y,
    epochs=options.epochs,
    validation_split=0.25,
    verbose=2,
    callbacks=[MetricsFile(options.metrics_file, job_id="keras-001", model_name="mlp", dataset="disc")],
)
