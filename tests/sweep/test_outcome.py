"""Which answers of a detector's process are accepted."""

import math

import numpy as np
import pytest

from odbench.sweep.outcome import from_answer


def outcome_of(answer, scores=(1.0, 2.0)):
    return from_answer(answer, lambda: np.array(scores), n_test=2)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "ok", "reason": ""},
        {"status": "ok"},
        {"status": "failed"},
        {"status": "failed", "reason": 3},
        {"status": ["failed"], "reason": ""},
    ],
)
def test_an_invalid_status_breaks_the_protocol(answer):
    outcome = outcome_of(answer)

    assert outcome.status == "killed"
    assert "broke the protocol" in outcome.reason


@pytest.mark.parametrize(
    "cost", [10**30, -1, True, math.nan, math.inf, "3", None, [1.0]]
)
def test_invalid_costs_are_left_out(cost):
    outcome = outcome_of({"shape": [2], "fit_seconds": cost, "peak_memory_bytes": cost})

    assert (outcome.status, dict(outcome.costs)) == ("ok", {})


def test_costs_get_the_types_of_their_columns():
    costs = outcome_of(
        {"shape": [2], "score_seconds": 2, "peak_memory_bytes": 7.0}
    ).costs

    assert costs == {"score_seconds": 2, "peak_memory_bytes": 7}
    assert isinstance(costs["peak_memory_bytes"], int)


def test_a_reason_is_one_line_that_can_be_printed():
    said = "a\nb\x1b[31m \udce9" + "c" * 999

    reason = outcome_of({"status": "failed", "reason": said}).reason

    assert reason.startswith(r"a b\x1b[31m \udce9c")
    assert len(reason) == 600


def test_scores_that_were_not_given_are_not_finite():
    outcome = outcome_of({"shape": [2]}, (1.0, np.nan))

    assert (outcome.status, outcome.scores) == ("nonfinite", None)
