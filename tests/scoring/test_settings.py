"""The names of settings, and their shares."""

import pytest

from odbench.errors import UsageError
from odbench.scoring.settings import SETTINGS, Protocol, needs_independence


@pytest.mark.parametrize(
    ("text", "label", "contamination"),
    [
        ("one-class", "one-class", None),
        ("transductive", "transductive", None),
        ("unsupervised", "unsupervised", None),
        ("contaminated=0.05", "contaminated=0.05", 0.05),
        ("contaminated=.050", "contaminated=0.05", 0.05),
        ("contaminated=0", "contaminated=0", 0.0),
    ],
)
def test_a_protocol_is_named_as_it_is_typed(text, label, contamination):
    protocol = Protocol.parse(text)

    assert protocol.label == label
    assert protocol.contamination == contamination
    assert Protocol.parse(label) == protocol
    assert protocol.setting is SETTINGS[protocol.name]


@pytest.mark.parametrize(
    "text",
    ["", "one class", "contaminated", "contaminated=", "contaminated=nan",
     "contaminated=0.5", "contaminated=-0.1", "one-class=0.1", "contaminated=1e9"],
)  # fmt: skip
def test_other_names_are_refused_with_the_ones_there_are(text):
    with pytest.raises(UsageError, match="contaminated=") as caught:
        Protocol.parse(text)
    assert repr(text) in str(caught.value)


def test_only_two_settings_ask_for_scores_that_ignore_the_batch():
    labels = ("one-class", "contaminated=0.05", "transductive", "unsupervised")

    assert [needs_independence(label) for label in labels] == [True, True, False, False]
