"""A small multilayer network and the data it learns, in the standard library alone.

Overflow does not raise an exception here, so that a run diverges as it would on a GPU. ReLU and squared loss need only
+ and *, which give inf and NaN when Python's floats overflow. math.exp and ** would raise OverflowError.
"""

import math
from operator import mul


def make_rings(count, rng):
    """Points of a disc (target -1) and of the ring around it (target 1), in equal numbers, with noise."""
    samples = []
    for index in range(count):
        inside = index % 2 == 0
        radius = rng.uniform(0.0, 0.5) if inside else rng.uniform(0.6, 1.0)
        angle = rng.uniform(0.0, 2.0 * math.pi)
        point = [radius * math.cos(angle) + rng.gauss(0.0, 0.03), radius * math.sin(angle) + rng.gauss(0.0, 0.03)]
        samples.append((point, -1.0 if inside else 1.0))
    return samples


class Network:
    """Layers of ReLU and one linear output, trained by gradient descent on the mean squared error."""

    def __init__(self, sizes, rng):
        # He's initialization keeps the variance the same from one ReLU layer to the next.
        self.layers = [
            ([[rng.gauss(0.0, math.sqrt(2.0 / inputs)) for _ in range(inputs)] for _ in range(outputs)], [0.0] * outputs)
            for inputs, outputs in zip(sizes, sizes[1:])
        ]

    def _activations(self, point):
        """Returns the point and the output of each layer."""
        activations = [point]
        for depth, (weights, biases) in enumerate(self.layers, start=1):
            values = [sum(map(mul, row, activations[-1])) + bias for row, bias in zip(weights, biases)]
            # max(0, x) would turn NaN into 0 and hide it.
            activations.append(values if depth == len(self.layers) else [0.0 if x < 0.0 else x for x in values])
        return activations

    def train(self, batch, learning_rate):
        """Takes one step of gradient descent. Returns the mean loss of the batch before the step."""
        gradients = [([[0.0] * len(row) for row in weights], [0.0] * len(biases)) for weights, biases in self.layers]
        loss = 0.0
        for point, target in batch:
            activations = self._activations(point)
            error = activations[-1][0] - target
            loss += error * error / len(batch)
            deltas = [2.0 * error / len(batch)]
            for depth in reversed(range(len(self.layers))):
                inputs, (weights, _) = activations[depth], self.layers[depth]
                weight_gradients, bias_gradients = gradients[depth]
                for unit, delta in enumerate(deltas):
                    bias_gradients[unit] += delta
                    weight_gradients[unit] = [g + delta * x for g, x in zip(weight_gradients[unit], inputs)]
                if depth > 0:
                    back = [sum(map(mul, deltas, column)) for column in zip(*weights)]
                    deltas = [0.0 if x <= 0.0 else d for x, d in zip(inputs, back)]
        self._descend(gradients, learning_rate)
        return loss

    def _descend(self, gradients, learning_rate):
        for (weights, biases), (weight_gradients, bias_gradients) in zip(self.layers, gradients):
            for unit, row in enumerate(weight_gradients):
                weights[unit] = [w - learning_rate * g for w, g in zip(weights[unit], row)]
                biases[unit] -= learning_rate * bias_gradients[unit]

    def evaluate(self, samples):
        """Returns the mean loss and the accuracy (0 to 1) on `samples`."""
        loss, right = 0.0, 0
        for point, target in samples:
            output = self._activations(point)[-1][0]
            loss += (output - target) * (output - target) / len(samples)
            right += output * target > 0.0
        return loss, right / len(samples)
