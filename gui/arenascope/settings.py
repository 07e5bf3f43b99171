"""What the user chose (``store/preferences.py`` keeps it), and where this program has its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

#: One folder for everything: for a portable installation, and for tests.
HOME_VARIABLE = "ARENASCOPE_HOME"


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """``geometry`` and ``window_state`` are Qt's own bytes in base64; empty: the window decides."""

    theme: Theme = Theme.SYSTEM
    geometry: str = ""
    window_state: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of this program. None of them need exist."""

    config: Path
    cache: Path
    data: Path
    log: Path

    @property
    def preferences(self) -> Path:
        return self.config / "settings.json"

    @property
    def devices(self) -> Path:
        """The boards that are known by a name."""
        return self.config / "devices.json"

    @property
    def known_hosts(self) -> Path:
        """Host keys that a person accepted here; ~/.ssh/known_hosts is only read."""
        return self.config / "known_hosts"

    @property
    def baselines(self) -> Path:
        """What was measured of boards once; it can be measured anew."""
        return self.cache / "baselines.json"

    @property
    def recent(self) -> Path:
        return self.data / "recent.json"


def places() -> Places:
    """The folders that the system sets aside for this program, or those under ARENASCOPE_HOME."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        root = Path(home).absolute()
        return Places(root / "config", root / "cache", root / "data", root / "log")
    dirs = platformdirs.PlatformDirs("arenascope", appauthor=False)
    return Places(dirs.user_config_path, dirs.user_cache_path, dirs.user_data_path, dirs.user_log_path)
