"""Questions of a connecting thread, answered by a person at the window.

The thread waits; the window shows the question and answers when it likes. Cancelling answers "no".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from ..remote.prompts import HostKeyQuestion
from .bridge import GuiBridge


@dataclass(frozen=True, slots=True)
class SecretQuestion:
    """A password or a passphrase is wanted; ``what`` says for what."""

    title: str
    what: str


@dataclass(eq=False)
class Question:
    """One question on its way. ``answer`` is called on the GUI thread; only the first call counts."""

    about: HostKeyQuestion | SecretQuestion
    target: str
    _done: threading.Event = field(default_factory=threading.Event)
    _answer: Any = None

    def answer(self, value: bool | str | None) -> None:
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

    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        return bool(self._ask(question))

    def password(self, user: str, host: str) -> str | None:
        return self._text(SecretQuestion("Password", f"Password of {user} on {host}"))

    def passphrase(self, path: Path) -> str | None:
        return self._text(SecretQuestion("Passphrase", f"Passphrase of the key {path.name}"))

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            waiting, self._open = self._open, []
        for question in waiting:
            question.answer(None)

    def _text(self, about: SecretQuestion) -> str | None:
        answer = self._ask(about)
        return answer if isinstance(answer, str) else None

    def _ask(self, about: HostKeyQuestion | SecretQuestion) -> Any:
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
