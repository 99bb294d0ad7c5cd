"""Facts of machines that other people's runs record."""

import pytest

from odbench.provenance import machine, recorded_machine


def test_our_own_facts_are_kept():
    facts = machine()
    assert recorded_machine(facts) == facts


@pytest.mark.parametrize("value", [None, 3, "x", [], [{"cores": 2}]])
def test_another_type_has_no_facts(value):
    assert recorded_machine(value) == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"memory_bytes": 10**400},
        {"memory_bytes": -1},
        {"memory_bytes": True},
        {"memory_bytes": 1.5},
        {"memory_bytes": "1 GiB"},
        {"cores": [2]},
        {"cores": None},
        {"processor": {"name": "x"}},
        {"processor": ""},
        {"owner": "me"},
    ],
)
def test_facts_that_cannot_be_true_are_left_out(broken):
    assert recorded_machine({"system": "Linux"} | broken) == {"system": "Linux"}
