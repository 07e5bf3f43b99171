"""keyboard-interactive (RFC 4256): the rounds of questions of a server, brought to the connecting thread.

The library calls for answers on its reader thread, where nobody may be asked: a person may take minutes,
and Ctrl+C must reach whoever asks. So the login runs on a thread of its own meanwhile, and the questions
come over here.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import paramiko
from paramiko.auth_handler import AuthHandler

from ..domain.plain_text import plain
from .login import Answering, GaveUp, Round
from .prompts import Question

#: More than any server has a reason to ask at once; one that is malicious could ask for gigabytes of them.
MAX_QUESTIONS = 32
_MAX_LINES = 20
_MAX_TEXT = 300


class NoAnswer(Exception):
    """The server says nothing more."""


def ask(
    session: Any,
    user: str,
    answer: Answering,
    limit: float,
    attempt: Callable[[Callable[[], list[str]]], list[str] | None],
) -> list[str] | None:
    """What the server still asks for after its questions were answered; None when it refused.

    ``answer`` is called for each round, on this thread. ``limit``: seconds that the server may take for
    each step. ``attempt`` runs a login and says what its errors mean. The session is closed when this
    raises: GaveUp when ``answer`` returns None, NoAnswer when the server takes too long.
    """
    arriving: queue.Queue[Callable[[], list[str] | None] | Round] = queue.Queue()
    answers: queue.Queue[list[str]] = queue.Queue()

    def relay(title: str, text: str, questions: Sequence[tuple[str, bool]]) -> list[str]:
        arriving.put(_readable(title, text, questions))
        return answers.get()

    def log_in() -> list[str]:
        done = threading.Event()
        session.auth_handler = _Bounded(session)
        session.auth_handler.auth_interactive(user, relay, done)
        left: list[str] = session.auth_handler.wait_for_response(done)
        return left

    def work() -> None:
        try:
            left = attempt(log_in)
            arriving.put(lambda: left)
        except BaseException as error:  # noqa: BLE001 - it is raised on the thread that waits
            arriving.put(_raising(error))

    session.auth_timeout = None  # it would run while a person thinks
    thread = threading.Thread(target=work, name=f"questions for {user}", daemon=True)
    thread.start()
    try:
        while True:
            came = arriving.get(timeout=limit)
            if not isinstance(came, Round):
                return came()
            given = answer(came)
            if given is None:
                raise GaveUp
            answers.put(given)
    except queue.Empty:
        session.close()
        raise NoAnswer("the server says nothing more") from None
    except BaseException:
        session.close()
        raise
    finally:
        answers.put([])  # whatever still waits for some
        session.auth_timeout = limit
        thread.join(limit)


def _raising(error: BaseException) -> Callable[[], list[str] | None]:
    def raising() -> list[str] | None:
        raise error

    return raising


def _readable(title: str, text: str, questions: Sequence[tuple[str, bool]]) -> Round:
    """The server's texts, made safe to show."""
    lines = [plain(line, _MAX_TEXT) for line in text.strip().splitlines()[:_MAX_LINES]]
    asked = tuple(Question(plain(question.strip(), _MAX_TEXT), bool(shown)) for question, shown in questions)
    return Round(plain(title.strip(), _MAX_TEXT), "\n".join(lines), asked)


class _Bounded(AuthHandler):  # type: ignore[misc]
    """The library's own, which believes any number of questions."""

    def _parse_userauth_info_request(self, message: Any) -> None:
        for _ in ("title", "instructions", "language"):
            message.get_binary()
        if message.get_int() > MAX_QUESTIONS:
            raise paramiko.SSHException(f"more than {MAX_QUESTIONS} questions at once")
        message.rewind()
        super()._parse_userauth_info_request(message)
