"""A detector together with its parameters, the unit that a sweep tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from odbench.detector import DetectorInfo
from odbench.errors import DetectorError
from odbench.plugins.adapter import AdaptedDetector, adapt
from odbench.plugins.entry_points import one_line
from odbench.plugins.parameters import wrong_type
from odbench.plugins.specs import identity, label_params

# Maximum length of a detector's own message within ours.
_FAULT_LENGTH = 300


@dataclass(frozen=True)
class Configuration:
    """A detector with its parameters.

    Attributes
    ----------
    info : DetectorInfo
        The detector.
    version : str
        Changes with the detector's code: a distribution's version, or a hash of the
        source.
    spec : str
        Text from which `restore_detector` recreates this configuration in any
        process. Processes exchange this text, because builders may not be picklable.
    overrides : mapping
        Parameters that differ from the reference.
    """

    info: DetectorInfo
    version: str
    spec: str
    overrides: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def params(self) -> dict[str, Any]:
        """Every parameter that matters, with its value."""
        return {**self.info.params, **self.overrides}

    # Both are asked for in each trial, and take seconds for an array of millions.
    @cached_property
    def label(self) -> str:
        """``default``, or the parameters that differ: ``k=20,method=mean``.

        A value of more than 200 characters is its type and a hash.
        """
        return label_params(self.overrides) or "default"

    @cached_property
    def id(self) -> str:
        """12 hex digits that identify the detector's name and full parameters."""
        return identity(self.info.name, self.params)

    def check(self) -> None:
        """Build the detector once, to refuse impossible parameters before a run.

        A value must be of the type that the constructor's annotation names. Then the
        detector's own ``check_params()``, or scikit-learn's validation, may refuse it.

        Raises
        ------
        DetectorError
            If a parameter is of another type, or the detector refuses it.
        """
        try:
            built: Any = self.build(0)
            inner = getattr(built, "inner", built)
            fault = ""
            if hasattr(inner, "_parameter_constraints"):
                # A scikit-learn estimator knows its types, and its fit calls this.
                inner._validate_params()  # noqa: SLF001
            else:
                fault = wrong_type(inner, self.overrides)
            if not fault and callable(getattr(inner, "check_params", None)):
                inner.check_params()
        except DetectorError as error:
            if self.info.name in str(error):
                raise
            fault = str(error)
        except (Exception, SystemExit) as error:
            fault = f"{type(error).__name__}: {one_line(error)}"
        if fault:
            given = label_params(self.overrides) or "its defaults"
            msg = (
                f"detector {self.info.name!r}: cannot run with {given} "
                f"({fault[:_FAULT_LENGTH]})"
            )
            raise DetectorError(msg)

    def build(self, random_state: int | None = None) -> AdaptedDetector:
        """Build an unfitted detector whose scores are higher for anomalies.

        Parameters
        ----------
        random_state : int or None
            Given to detectors that are not deterministic, unless the user fixed one.

        Raises
        ------
        DetectorError
            If its constructor refuses the parameters.
        """
        params = self.params
        if not self.info.deterministic and params.get("random_state") is None:
            params["random_state"] = random_state
        try:
            return adapt(self.info.build(**params))
        except DetectorError:
            raise
        except Exception as error:
            msg = (
                f"detector {self.info.name!r}: cannot be built with "
                f"{label_params(params) or 'no parameters'} "
                f"({type(error).__name__}: {one_line(error)})"
            )
            raise DetectorError(msg) from error
