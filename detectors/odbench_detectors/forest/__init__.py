"""Isolation forest: rows that few random cuts set apart are anomalous."""

from odbench_detectors.forest.info import IFOREST

__all__ = ["IFOREST"]
