"""Detectors that look at the rows they score together, and others that do not."""

import time

import numpy as np


class _Base:
    def get_params(self, deep=True):
        return {}

    def fit(self, X):
        self.center_ = X.mean(axis=0)
        return self


class Naive(_Base):
    """Score a row by its distance from the middle of the batch."""

    def decision_function(self, X):
        return np.abs(X - X.mean(axis=0)).sum(axis=1)


class Ranked(_Base):
    """Score a row by its rank in the batch, in whole numbers."""

    def decision_function(self, X):
        distance = np.abs(X - self.center_).sum(axis=1)
        return np.argsort(np.argsort(distance)).astype(float)


class NeedsMany(_Base):
    """Refuse to score a few rows."""

    def decision_function(self, X):
        if len(X) < 80:
            msg = "too few rows"
            raise ValueError(msg)
        return np.abs(X - self.center_).sum(axis=1)


class HangsOnFew(_Base):
    """Never finish with half of the batch; a warm-up has fewer rows."""

    def decision_function(self, X):
        if 20 < len(X) < 80:
            time.sleep(600)
        return np.abs(X - self.center_).sum(axis=1)


class Inductive(_Base):
    """Score each row alone."""

    def decision_function(self, X):
        return np.abs(X - self.center_).sum(axis=1)


class Both(Inductive):
    """Score each row alone, or by its rank in the batch, where this is allowed."""

    def score_batch(self, X):
        distance = np.abs(X - self.center_).sum(axis=1)
        return -np.argsort(np.argsort(distance)).astype(float)


class WritesIntoItsRows(_Base):
    """Score each row alone, after scaling it where it lies."""

    def decision_function(self, X):
        X -= self.center_
        X *= 0.1
        return np.abs(X).sum(axis=1)


class ShufflesItsRows(Inductive):
    """Fit on rows in another order, which it makes where they lie."""

    def fit(self, X):
        np.random.default_rng(0).shuffle(X)
        return super().fit(X)


class Noisy(Inductive):
    """Add noise to each score."""

    def decision_function(self, X):
        scores = super().decision_function(X)
        return scores + np.random.normal(0, 0.01, len(X))  # noqa: NPY002 - as old detectors do


class OwnRows(Inductive):
    """Score the rows of the fitted table by their opposite."""

    def fit_score(self, X):
        self.fit(X)
        return -self.decision_function(X)
