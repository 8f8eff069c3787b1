"""Keras' CSVLogger in a real fit(); the second fit has a loss of NaN."""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np


class Tell(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        fields = {"epoch": epoch, **{name: float(value) for name, value in logs.items()}}
        text = {name: "nan" if value != value else value for name, value in fields.items()}
        print(json.dumps({"fields": text}), flush=True)


model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
path = os.path.join(sys.argv[1], "training.csv")
x, y = np.ones((32, 4), "float32"), np.ones((32, 1), "float32")
for data, append in [(y, False), (y * np.nan, True)]:
    logger = keras.callbacks.CSVLogger(path, append=append)
    model.fit(x, data, epochs=5, verbose=0, validation_data=(x, y), callbacks=[logger, Tell()])
