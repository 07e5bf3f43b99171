"""Questions of a connecting thread, answered by a person at the window.

The thread waits; the window shows the question and answers when it likes. Cancelling answers "no".
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from ..remote.prompts import HostKeyQuestion, passphrase_of, password_of
from ..remote.prompts import Question as ServerQuestion
from .bridge import GuiBridge


@dataclass(frozen=True, slots=True)
class SecretQuestion:
    """A password or a passphrase is wanted; ``what`` says for what. The answer is a ``GivenSecret``."""

    title: str
    what: str


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """``remember``: in the system's keyring, if it lets us in."""

    text: str = field(repr=False)
    remember: bool = False


@dataclass(frozen=True, slots=True)
class ServerQuestions:
    """What a server asks besides a password. The answer is a list of texts; all texts are safe to show."""

    title: str
    instructions: str
    questions: tuple[ServerQuestion, ...]


@dataclass(eq=False)
class Question:
    """One question on its way. ``answer`` is called on the GUI thread; only the first call counts."""

    about: HostKeyQuestion | SecretQuestion | ServerQuestions
    target: str
    _done: threading.Event = field(default_factory=threading.Event)
    _answer: Any = field(default=None, repr=False)

    def answer(self, value: bool | GivenSecret | list[str] | None) -> None:
        if not self._done.is_set():
            self._answer = value
            self._done.set()

    @property
    def answered(self) -> bool:
        return self._done.is_set()

    def wait(self) -> Any:
        """On the asking thread."""
        self._done.wait()
        return self._answer


class WindowPrompts:
    """``remote.prompts.Prompts`` for one target; every question is posted on the bridge.

    After ``cancel`` every question, asked or still to come, is answered with no.
    """

    def __init__(self, bridge: GuiBridge, target: str) -> None:
        self._bridge, self._target = bridge, target
        self._lock = threading.Lock()
        self._open: list[Question] = []
        self._cancelled = False
        self._to_remember: set[str] = set()

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        return bool(self._ask(question))

    def password(self, user: str, host: str) -> str | None:
        about = SecretQuestion("Password", f"Password of {user} on {host}")
        return self._secret(about, password_of(user, host))

    def passphrase(self, path: Path) -> str | None:
        about = SecretQuestion("Passphrase", f"Passphrase of the key {path.name}")
        return self._secret(about, passphrase_of(path))

    def answers(self, title: str, instructions: str, questions: Sequence[ServerQuestion]) -> list[str] | None:
        answer = self._ask(ServerQuestions(title, instructions, tuple(questions)))
        return answer if isinstance(answer, list) else None

    def remember(self, what: str) -> bool:
        return what in self._to_remember

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            waiting, self._open = self._open, []
        for question in waiting:
            question.answer(None)

    def _secret(self, about: SecretQuestion, what: str) -> str | None:
        answer = self._ask(about)
        if not isinstance(answer, GivenSecret):
            return None
        (self._to_remember.add if answer.remember else self._to_remember.discard)(what)
        return answer.text

    def _ask(self, about: HostKeyQuestion | SecretQuestion | ServerQuestions) -> Any:
        question = Question(about, self._target)
        with self._lock:
            if self._cancelled:
                return None
            self._open.append(question)
        self._bridge.post(question)
        try:
            return question.wait()
        finally:
            with self._lock:
                if question in self._open:
                    self._open.remove(question)


class Questions(QObject):
    """Hands each posted question to whoever shows it; without one, the answer is no."""

    def __init__(self, bridge: GuiBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.show = self._nobody
        bridge.posted.connect(self._posted)

    def _posted(self, value: object, _source: object) -> None:
        if isinstance(value, Question) and not value.answered:
            self.show(value)

    @staticmethod
    def _nobody(question: Question) -> None:
        question.answer(None)
