"""The questions of a connection, asked on the terminal; without one, nobody is asked."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.plain_text import plain
from ..errors import HostKeyUnknown
from ..remote.prompts import NoPrompts

if TYPE_CHECKING:
    from ..remote.prompts import HostKeyQuestion, Prompts


def terminal(fingerprint: str | None = None) -> Prompts:
    """Questions on the terminal if stdin is one. With ``fingerprint``, exactly that key is accepted."""
    asked: Prompts = TerminalPrompts() if sys.stdin is not None and sys.stdin.isatty() else NoPrompts()
    return asked if fingerprint is None else KnownFingerprint(fingerprint, asked)


class TerminalPrompts:
    """Asks on stderr, so that stdout stays free for the result."""

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        sys.stderr.write(
            f"{plain(question.host)} (port {question.port}) has not been met before.\n"
            f"Its {plain(question.key_type)} key is {plain(question.fingerprint)}\n"
            f"Compare it with the device's own: {question.command}\n"
            "Trust this key and remember it? Type yes to go on: "
        )
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() == "yes"

    def password(self, user: str, host: str) -> str | None:
        return _secret(f"Password of {plain(user)}@{plain(host)}: ")

    def passphrase(self, path: Path) -> str | None:
        return _secret(f"Passphrase of {plain(str(path))}: ")


class KnownFingerprint:
    """Accepts the one key that was named beforehand, without a question, and no other."""

    def __init__(self, fingerprint: str, others: Prompts) -> None:
        self._fingerprint = fingerprint
        self._others = others

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        if question.fingerprint == self._fingerprint:
            return True
        raise HostKeyUnknown(
            f"{question.host} presents the {question.key_type} key {question.fingerprint}, "
            f"which is not the one given: {self._fingerprint}.",
            hint=f"Look at the device itself: {question.command}. If it shows another key than the one "
            "presented, do not connect.",
        )

    def password(self, user: str, host: str) -> str | None:
        return self._others.password(user, host)

    def passphrase(self, path: Path) -> str | None:
        return self._others.passphrase(path)


def _secret(question: str) -> str | None:
    try:
        return getpass.getpass(question, stream=sys.stderr) or None
    except EOFError:
        return None
