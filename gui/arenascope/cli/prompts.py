"""The questions of a connection, asked on the terminal; without one, nobody is asked."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.plain_text import plain
from ..errors import HostKeyUnknown
from ..remote.prompts import NoPrompts

if TYPE_CHECKING:
    from ..remote.prompts import HostKeyQuestion, Prompts, Question


class Remember(Enum):
    """Whether a secret that was typed goes to the system's keyring."""

    NO = "no"
    ASK = "ask"
    YES = "yes"


def terminal(fingerprints: Sequence[str] = (), *, remember: Remember = Remember.NO) -> Prompts:
    """Questions on the terminal if stdin is one. With ``fingerprints``, exactly those keys are accepted."""
    there = sys.stdin is not None and sys.stdin.isatty()
    asked: Prompts = TerminalPrompts(remember) if there else NoPrompts()
    return KnownFingerprints(fingerprints, asked) if fingerprints else asked


class TerminalPrompts:
    """Asks on stderr, so that stdout stays free for the result."""

    def __init__(self, remember: Remember = Remember.NO) -> None:
        self._remember = remember

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

    def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
        for text in (title, *instructions.splitlines()):
            if text:
                sys.stderr.write(f"{text}\n")
        given = []
        for question in questions:
            text = f"{question.text} "
            answer = _line(text) if question.shown else _secret(text, empty="")
            if answer is None:
                return None
            given.append(answer)
        return given

    def remember(self, what: str) -> bool:
        if self._remember is not Remember.ASK:
            return self._remember is Remember.YES
        answer = _line(f"Keep {plain(what)} in the keyring of this system? [y/N] ")
        return answer is not None and answer.strip().lower() in ("y", "yes")


class KnownFingerprints:
    """Accepts the keys that were named beforehand, without a question, and no others."""

    def __init__(self, fingerprints: Sequence[str], others: Prompts) -> None:
        self._fingerprints = fingerprints
        self._others = others

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        if question.fingerprint in self._fingerprints:
            return True
        raise HostKeyUnknown(
            f"{question.host} presents the {question.key_type} key {question.fingerprint}, "
            f"which is not the one given: {', '.join(self._fingerprints)}.",
            hint=f"Look at the device itself: {question.command}. If it shows another key than the one "
            "presented, do not connect.",
        )

    def password(self, user: str, host: str) -> str | None:
        return self._others.password(user, host)

    def passphrase(self, path: Path) -> str | None:
        return self._others.passphrase(path)

    def answers(self, title: str, instructions: str, questions: Sequence[Question]) -> list[str] | None:
        return self._others.answers(title, instructions, questions)

    def remember(self, what: str) -> bool:
        return self._others.remember(what)


def _secret(question: str, *, empty: str | None = None) -> str | None:
    """What is typed without being shown; ``empty`` for an empty line, None for the end of the input."""
    try:
        return getpass.getpass(question, stream=sys.stderr) or empty
    except EOFError:
        return None


def _line(question: str) -> str | None:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None
