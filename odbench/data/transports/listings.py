"""Keep the hub's last listing in the cache, for runs without a network."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from odbench.data.transports.source import Listed
from odbench.files import write_text
from odbench.suites import Suite


def _file(root: Path, suite: Suite, partition: str) -> Path:
    """Return the file of a listing."""
    return root / "listings" / f"{suite.name}-{partition}.json"


def remember(
    root: Path, suite: Suite, partition: str, listing: Mapping[str, Listed]
) -> None:
    """Save a listing; a failure is ignored, because the run does not depend on it."""
    values = {
        "repository": suite.repository,
        "revision": suite.revision,
        "files": {name: dataclasses.asdict(file) for name, file in listing.items()},
    }
    with contextlib.suppress(OSError):
        file = _file(root, suite, partition)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(values, sort_keys=True))


def recall(root: Path, suite: Suite, partition: str) -> dict[str, Listed] | None:
    """Return the last listing of the suite's repository and revision, if any."""
    try:
        text = _file(root, suite, partition).read_text(encoding="utf-8")
        values = json.loads(text)
        if (values["repository"], values["revision"]) != (
            suite.repository,
            suite.revision,
        ):
            return None
        return {name: Listed(**file) for name, file in values["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return None
