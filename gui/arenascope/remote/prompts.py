"""The questions that only a person can answer while connecting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HostKeyQuestion:
    """A device that has not been met before. ``fingerprint`` as OpenSSH prints it: 'SHA256:…'."""

    host: str
    port: int
    key_type: str
    fingerprint: str


class Prompts(Protocol):
    """Asked on the connecting thread, which waits. None means: no answer, give up."""

    def confirm_host_key(self, question: HostKeyQuestion) -> bool: ...

    def password(self, user: str, host: str) -> str | None: ...

    def passphrase(self, path: Path) -> str | None: ...


class NoPrompts:
    """Nobody is there to ask: no unknown key is accepted and no secret is given."""

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        return False

    def password(self, user: str, host: str) -> str | None:
        return None

    def passphrase(self, path: Path) -> str | None:
        return None
