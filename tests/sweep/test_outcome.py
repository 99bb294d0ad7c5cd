"""Which answers of a detector's process are accepted."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from odbench.sweep.outcome import from_answer, from_exit


def outcome_of(answer, scores=(1.0, 2.0)):
    return from_answer(answer, 2, scores=lambda: np.array(scores))


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


def test_a_reason_is_one_line_that_can_be_printed():
    said = "a\nb\x1b[31m \udce9" + "c" * 999

    reason = outcome_of({"status": "failed", "reason": said}).reason

    assert reason.startswith(r"a b\x1b[31m \udce9c")
    assert len(reason) == 600


def test_scores_that_were_not_given_are_not_finite():
    outcome = outcome_of({"shape": [2]}, (1.0, np.nan))

    assert (outcome.status, outcome.scores) == ("nonfinite", None)


@pytest.mark.parametrize("shape", [None, "2", [10**400], [2, 2], {"a": 1}])
def test_a_shape_that_is_no_vector_of_scores_is_named_in_one_line(shape):
    outcome = outcome_of({"shape": shape})

    assert outcome.status == "shape"
    assert len(outcome.reason) < 100


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (signal.SIGKILL, "SIGKILL; out of memory?"),
        (signal.SIGSEGV, "SIGSEGV"),
        (40, "signal 40"),
    ],
)
def test_a_process_that_a_signal_ended_has_the_name_of_the_signal(number, name):
    code = f"import os; os.kill(os.getpid(), {int(number)})"

    with subprocess.Popen([sys.executable, "-c", code]) as process:
        outcome = from_exit(process)

    assert (outcome.status, outcome.reason) == ("killed", f"killed by {name}")
