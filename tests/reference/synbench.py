"""SynBench the slow way: loops over rows, SciPy's laws, pairs counted one by one."""

import math

import numpy as np
from scipy import stats


class Mixture:
    """A mixture of SciPy laws with weights: cdf and sf."""

    def __init__(self, parts):
        self.parts = parts

    def cdf(self, x):
        return sum(weight * law.cdf(x) for weight, law in self.parts)

    def sf(self, x):
        return sum(weight * law.sf(x) for weight, law in self.parts)


def column_law(law):
    """The law of a copula's column from its metadata, as SciPy has it."""
    family = law["family"]
    if family == "normal":
        return stats.norm(law["mean"], law["sd"])
    if family == "beta":
        return stats.beta(law["a"], law["b"])
    if family == "exponential":
        return stats.expon(scale=1 / law["rate"])
    if family == "student":
        return stats.t(law["df"])
    if family == "normals":
        return Mixture([(w, stats.norm(m, s)) for w, m, s in law["components"]])
    return Mixture([(w, stats.beta(a, b, -5, 10)) for w, a, b in law["components"]])


def distance(row, means, variances, subspace):
    """Squared Mahalanobis distance to the nearest component, inside the subspace."""
    return min(
        sum((row[j] - mean[j]) ** 2 / variance[j] for j in subspace)
        for mean, variance in zip(means, variances, strict=True)
    )


def activate(name, x):
    if name == "tanh":
        return math.tanh(x)
    if name == "leaky_relu":
        return x if x > 0 else 0.01 * x
    if name == "elu":
        return x if x > 0 else math.expm1(x)
    return x


def run_network(weights, activations, noise):
    """All nodes of one row: h_l = act(W_l h_(l-1) + noise_l), h_0 = 1.

    `noise` is nested as layers of nodes.
    """
    h = [1.0] * len(noise[0])
    nodes = []
    for matrix, name, noises in zip(weights, activations, noise, strict=True):
        h = [
            activate(name, sum(w * x for w, x in zip(row, h, strict=True)) + e)
            for row, e in zip(matrix, noises, strict=True)
        ]
        nodes.append(h)
    return nodes


def reaching(weights, features):
    """Nodes with a path to a column, found by following every edge."""
    n_layers, width = len(weights), len(weights[0])

    def reaches(layer, place):
        if layer * width + place in features:
            return True
        return layer + 1 < n_layers and any(
            weights[layer + 1][i][place] != 0 and reaches(layer + 1, i)
            for i in range(width)
        )

    return [[reaches(layer, i) for i in range(width)] for layer in range(n_layers)]


def likelihood_ratio(correlation, z, strength):
    """Mean over j of t(z_j) / p(z_j | others), with a solve for every j and row."""
    d = len(z)
    edge = -stats.norm.ppf(strength / 2)
    total = 0.0
    for j in range(d):
        if abs(z[j]) <= edge:
            continue
        rest = [k for k in range(d) if k != j]
        gain = np.linalg.solve(correlation[np.ix_(rest, rest)], correlation[rest, j])
        mean = gain @ z[rest]
        variance = correlation[j, j] - gain @ correlation[rest, j]
        inlier = stats.norm.pdf(z[j], mean, math.sqrt(variance))
        total += stats.norm.pdf(z[j]) / strength / inlier
    return total / d


def auroc(labels, scores):
    """Chance that an anomaly outscores an inlier; ties count half."""
    anomalies = [s for y, s in zip(labels, scores, strict=True) if y]
    inliers = [s for y, s in zip(labels, scores, strict=True) if not y]
    wins = sum((a > b) + 0.5 * (a == b) for a in anomalies for b in inliers)
    return wins / len(anomalies) / len(inliers)
