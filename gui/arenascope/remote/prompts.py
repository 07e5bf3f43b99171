"""The questions that only a person can answer while connecting."""

from __future__ import annotations

from collections.abc import Sequence
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

    @property
    def command(self) -> str:
        """What shows the fingerprint of this key when it is run on the device itself."""
        return fingerprint_command(self.key_type)


def fingerprint_command(key_type: str) -> str:
    """Prints, on the device, the fingerprint of its host key of this type; of all for an unknown type.

    The names of the files are those of sshd_config(5), HostKey. ``key_type`` is untrusted and never
    part of the command.
    """
    word = key_type.removeprefix("ssh-").partition("-")[0]
    file = {"ed25519": "ed25519", "ecdsa": "ecdsa", "rsa": "rsa", "dss": "dsa"}.get(word)
    if file is None:
        return "cat /etc/ssh/ssh_host_*_key.pub | ssh-keygen -lf -"
    return f"ssh-keygen -lf /etc/ssh/ssh_host_{file}_key.pub"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a server: its text, made safe to show, and whether the answer may be seen."""

    text: str
    shown: bool


def password_of(user: str, host: str) -> str:
    """What a password is called, in questions and when it is to be remembered."""
    return f"the password of {user} on {host}"


def passphrase_of(path: Path) -> str:
    return f"the passphrase of {path}"


class Prompts(Protocol):
    """Asked on the connecting thread, which waits. None means: no answer, give up."""

    def confirm_host_key(self, question: HostKeyQuestion) -> bool: ...

    def password(self, user: str, host: str) -> str | None: ...

    def passphrase(self, path: Path) -> str | None: ...

    def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
        """One answer to each question, in order. Without a question there is only something to be read.

        All texts are the server's, made safe to show; ``instructions`` may have several lines.
        """

    def remember(self, what: str) -> bool:
        """Whether a secret that was typed and let us in is to be kept in the system's keyring.

        ``what`` is one of ``password_of`` and ``passphrase_of``.
        """


class NoPrompts:
    """Nobody is there to ask: no unknown key is accepted and no secret is given."""

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        return False

    def password(self, user: str, host: str) -> str | None:
        return None

    def passphrase(self, path: Path) -> str | None:
        return None

    def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
        return None if questions else []

    def remember(self, what: str) -> bool:
        return False
