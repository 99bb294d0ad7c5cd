"""Constructor parameters as scikit-learn wants them, without importing scikit-learn."""

from __future__ import annotations

import inspect
from typing import Any, Self


class Estimator:
    """A detector whose parameters are its constructor's, stored under their names."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn's signature
        """Return the constructor's parameters and their values."""
        names = list(inspect.signature(type(self)).parameters)
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                owner, have = type(self).__name__, ", ".join(known)
                msg = f"{owner} has no parameter {name!r}; it has {have}"
                raise ValueError(msg)
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())
        return f"{type(self).__name__}({inside})"
