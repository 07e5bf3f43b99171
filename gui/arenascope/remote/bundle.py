"""The agent as one archive, the same bytes from the same sources: its SHA-256 is its version.

``python3 agent.pyz serve`` runs it on any Python ≥ 3.9. ``zipapp`` is not used because it keeps the
files' dates; here names are sorted and dates fixed. Stored without compression: it is small, and a board
without zlib runs it too.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import arenascope_agent

_PACKAGE = "arenascope_agent"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive knows


def agent_folder() -> Path:
    """Where the agent's sources lie, in a checkout or in an installed package."""
    return Path(arenascope_agent.__path__[0])


def build(folder: Path | None = None) -> tuple[bytes, str]:
    """(the archive, its SHA-256 in hex). ``folder``: the package's sources, our own by default."""
    folder = folder or agent_folder()
    sources = {
        f"{_PACKAGE}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*.py")
    }
    sources["__main__.py"] = sources[f"{_PACKAGE}/__main__.py"]  # it finds the package beside itself
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, also when it is made on Windows
            entry.external_attr = 0o600 << 16
            file.writestr(entry, sources[name].replace(b"\r\n", b"\n"))
    data = archive.getvalue()
    return data, hashlib.sha256(data).hexdigest()
