"""Slow, obvious versions of the losses and scores of neural detectors."""

import math

import numpy as np


def forward(weights, biases, row, slope=0.0):
    """Pass one row through linear layers, with a leaky ReLU between each two."""
    values = [float(v) for v in row]
    for i, weight in enumerate(weights):
        outputs = []
        for unit in range(weight.shape[0]):
            total = float(biases[i][unit]) if biases else 0.0
            for j, value in enumerate(values):
                total += float(weight[unit, j]) * value
            if i < len(weights) - 1 and total < 0:
                total *= slope
            outputs.append(total)
        values = outputs
    return values


def squared_distance(point, centre):
    return sum((a - b) ** 2 for a, b in zip(point, centre, strict=True))


def centre(outputs):
    """Return the mean of outputs, moved 0.1 away from zero in each coordinate."""
    found = []
    for column in np.asarray(outputs).T:
        mean = sum(column) / len(column)
        if abs(mean) < 0.1:
            mean = -0.1 if mean < 0 else 0.1
        found.append(mean)
    return found


def probabilistic_error(row, outputs, error_weight, variance_weight):
    """Return the mean over columns of the adjustable probabilistic error."""
    d = len(row)
    total = 0.0
    for j in range(d):
        log_variance = min(max(outputs[d + j], -7.0), 7.0)
        error = (row[j] - outputs[j]) ** 2 / math.exp(log_variance)
        total += error_weight * error + variance_weight * log_variance
    return total / d


def squared_error(row, outputs):
    return sum((a - b) ** 2 for a, b in zip(row, outputs, strict=True)) / len(row)


def moved(row, others, k):
    """Return the mean of the k rows of `others` nearest to a row."""
    order = sorted(range(len(others)), key=lambda i: (math.dist(row, others[i]), i))
    nearest = [others[i] for i in order[:k]]
    return [sum(column) / len(nearest) for column in zip(*nearest, strict=True)]


def deviations(steps):
    """Return the standard deviation of a diffusion's noise after each step."""
    found, kept = [], 1.0
    for step in range(steps):
        kept *= 1.0 - (1e-4 + (0.01 - 1e-4) * step / (steps - 1))
        found.append(math.sqrt(1.0 - kept))
    return found


def expected_bin(logits):
    largest = max(logits)
    shares = [math.exp(value - largest) for value in logits]
    return sum(i * share for i, share in enumerate(shares)) / sum(shares)


def noise_by_kurtosis(column, sigma, slope):
    """Return the noise of a column, from 0.1 to 3."""
    mean = sum(column) / len(column)
    second = sum((v - mean) ** 2 for v in column) / len(column)
    fourth = sum((v - mean) ** 4 for v in column) / len(column)
    kurtosis = fourth / second**2 if second else 3.0
    return min(max(sigma * (1 + slope * (kurtosis - 3)), 0.1), 3.0)


def residual(rows, weights):
    """Pass a tensor through residual blocks of two layers between two single layers.

    `weights` has the weight and the bias of each layer in order.
    """
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    hidden = rows @ layers[0][0].T + layers[0][1]
    for i in range(1, len(layers) - 1, 2):
        (first, bias), (second, other) = layers[i : i + 2]
        inner = (hidden.relu() @ first.T + bias).relu()
        hidden = hidden + inner @ second.T + other
    return hidden.relu() @ layers[-1][0].T + layers[-1][1]


def contrast(network, rows, tau):
    """Return each window's surprise, with a graph, by torch's own modules."""
    from torch.nn.functional import leaky_relu, normalize

    def encode(encoder, parts):
        for i, layer in enumerate(encoder.layers):
            parts = layer(parts)
            parts = parts.tanh() if i == 0 and encoder.tanh else leaky_relu(parts, 0.2)
            if i < len(encoder.norms):
                parts = encoder.norms[i](parts)
        return normalize(normalize(parts, dim=1), dim=2)

    complements = encode(network.of_complements, rows[:, network.complements])
    windows = encode(network.of_windows, rows.unfold(1, network.size, 1))
    products = complements @ windows.transpose(1, 2) / tau
    return -products.log_softmax(dim=2).diagonal(dim1=1, dim2=2)
