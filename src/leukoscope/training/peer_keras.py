"""The peer of the benchmark: CNN-3 in Keras 3 on TensorFlow, as its users write it.

Runs as a script in an interpreter that has TensorFlow, which need not be leukoscope's own. Reads
commands on standard input, one a line, and answers each with one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(data: str) -> None:
    """Answer ``epoch`` with the seconds of one epoch, ``predict`` with test probabilities."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Only answers may reach standard output.
    answers, sys.stdout = sys.stdout, sys.stderr
    import keras
    import numpy as np
    from keras import layers

    arrays = np.load(data)
    train = arrays["train"].astype("float32") / 255
    test = arrays["test"].astype("float32") / 255
    stack: list[object] = [keras.Input(train.shape[1:])]
    for filters, pool in ((64, False), (128, True), (64, True)):
        for padding in ("same", "valid", "valid"):
            stack.append(layers.Conv2D(filters, 3, padding=padding, activation="relu"))
        if pool:
            stack.append(layers.MaxPooling2D(2))
    stack += [
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dense(128, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
    network = keras.Sequential(stack)
    # Not XLA: measured on processors, it is slower for this network (80 against 100 images/s).
    network.compile(keras.optimizers.Adam(3e-4), "binary_crossentropy")
    start = [arrays[f"weight_{number}"] for number in range(len(network.weights))]
    # A step before anything is measured: it compiles. Then everything is put back to the start.
    network.fit(train[:32], arrays["labels"][:32], batch_size=32, verbose=0)
    network.set_weights(start)
    for variable in network.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    network.optimizer.learning_rate = 3e-4
    orders = iter(arrays["orders"])
    print(json.dumps({"keras": keras.__version__}), file=answers, flush=True)
    for command in sys.stdin:
        if command.strip() == "epoch":
            order = next(orders)
            images, labels = train[order], arrays["labels"][order]
            began = time.perf_counter()
            network.fit(images, labels, batch_size=32, shuffle=False, verbose=0)
            answer: object = time.perf_counter() - began
        else:
            answer = network.predict(test, verbose=0)[:, 0].astype(float).tolist()
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
