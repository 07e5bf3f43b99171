"""Files of ours that are not code: the theme, help pages, report templates, examples.

In an installed wheel they lie inside the package as ``_resources``; in a checkout they are
the top-level folder ``resources``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .errors import FileError


@cache
def _root() -> Path:
    package = Path(__file__).resolve().parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parents[1] / "resources"


def resource_path(*parts: str) -> Path:
    """Path of a file or folder in ``resources``, for example ``resource_path("theme.json")``.

    Raises FileError where it is missing, which means that the installation is incomplete.
    """
    path = _root().joinpath(*parts)
    if not path.exists():
        raise FileError(
            f"A file of ArenaScope itself is missing: {'/'.join(parts)}",
            hint="Install ArenaScope again; this copy is incomplete.",
            detail=str(path),
        )
    return path


def resource_text(*parts: str) -> str:
    """The text of a file in ``resources``, which is always UTF-8. Raises as ``resource_path``."""
    return resource_path(*parts).read_text(encoding="utf-8")
