"""Import modules from folders whose names the sandbox does not let a process list.

Landlock can allow a folder as a whole or not at all, so a folder with a hidden path in
it, such as a project with its run folder, cannot be listed, and Python finds modules by
listing. Its files can be read.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, all_suffixes
from types import ModuleType


class _ByName:
    """Finds modules of one folder by trying their names."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(
        self,
        name: str,
        target: ModuleType | None = None,  # noqa: ARG002 - part of the protocol
    ) -> ModuleSpec | None:
        base = os.path.join(self._folder, name.rpartition(".")[2])  # noqa: PTH118
        for suffix in all_suffixes():
            inside = os.path.join(base, f"__init__{suffix}")  # noqa: PTH118
            if os.path.isfile(inside):  # noqa: PTH113
                return importlib.util.spec_from_file_location(
                    name, inside, submodule_search_locations=[base]
                )
        for suffix in all_suffixes():
            if os.path.isfile(base + suffix):  # noqa: PTH113
                return importlib.util.spec_from_file_location(name, base + suffix)
        return None

    def invalidate_caches(self) -> None:
        """Do nothing: there are none."""


def import_by_name() -> None:
    """Let this process import from folders that it may not list, now and later."""
    sys.path_hooks.insert(0, _finder)
    for folder in list(sys.path_importer_cache):
        if not _is_listable(folder):
            del sys.path_importer_cache[folder]


def _finder(folder: str) -> _ByName:
    if _is_listable(folder):
        raise ImportError
    return _ByName(folder)


def _is_listable(folder: str) -> bool:
    try:
        os.scandir(folder or ".").close()
    except PermissionError:
        return False
    except OSError:
        return True
    return True
