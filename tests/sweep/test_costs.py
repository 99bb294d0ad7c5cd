"""The costs of a trial follow the worker's clock, whatever its process tells."""

import math

import pytest

from odbench.sweep.costs import memory_of, number, seconds_of


@pytest.mark.parametrize(
    "told", [10**400, 2**61, -1, True, math.nan, math.inf, "3", None, [1.0]]
)
def test_impossible_costs_count_as_nothing(told):
    answer = dict.fromkeys(
        ("seconds", "spent", "charged", "reused", "compiled", "grown"), told
    )

    assert number(told) == 0
    assert seconds_of(1.0, answer, is_trusted=True).seconds == 1
    assert memory_of(7, answer, is_trusted=True) == 7


def test_a_process_that_agrees_with_the_worker_is_more_exact():
    costs = seconds_of(0.0031, {"seconds": 0.003}, is_trusted=False)

    assert costs.seconds == 0.003


@pytest.mark.parametrize("told", [0.0, 0.5, 2.0])
def test_a_process_with_another_clock_is_not_believed(told):
    assert seconds_of(1.0, {"seconds": told}, is_trusted=False).seconds == 1


def test_shared_work_is_replaced_by_the_cost_of_the_own_need():
    answer = {"seconds": 1.0, "spent": 0.9, "charged": 0.2, "reused": 0.0}

    assert seconds_of(1.0, answer, is_trusted=True).seconds == pytest.approx(0.3)


def test_only_a_trusted_process_can_lower_its_costs():
    answer = {"spent": 0.9, "charged": 0.0, "reused": 0.5, "grown": 90}

    assert seconds_of(1.0, answer, is_trusted=False).seconds == 1.5
    assert memory_of(100, answer, is_trusted=False) == 100
    assert memory_of(100, answer, is_trusted=True) == 10
