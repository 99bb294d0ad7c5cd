"""The manifest of published checkpoints: where each one is and what is known of it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from odbench.errors import ManifestError

FILE = "checkpoints.toml"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A published checkpoint.

    Attributes
    ----------
    name : str
        Its section in the manifest.
    repository, revision, file : str
        Its place on the hub; `file` is empty if odbench does not download it.
    sha256 : str
        64 hex digits, or empty: unpinned.
    size : int
        Bytes, or 0: unpinned.
    licence, source, trained_on : str
        Licence of the weights, where the facts are from, and what it was trained on.
    """

    name: str
    repository: str
    revision: str
    file: str
    sha256: str
    size: int
    licence: str
    source: str
    trained_on: str

    @property
    def label(self) -> str:
        """The repository and the file, for messages."""
        return f"{self.repository} {self.file}".strip()

    @property
    def command(self) -> str:
        """The command that downloads the file where there is a network."""
        return f"hf download {self.repository} {self.file} --revision {self.revision}"


@functools.cache
def checkpoints() -> Mapping[str, Checkpoint]:
    """Return the published checkpoints by name.

    Raises
    ------
    ManifestError
        If the manifest is broken.
    """
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    try:
        sections = tomllib.loads(text)
        return {name: Checkpoint(name=name, **sections[name]) for name in sections}
    except (tomllib.TOMLDecodeError, TypeError) as error:
        msg = f"{FILE}: is broken ({error}); install odbench again"
        raise ManifestError(msg) from error
