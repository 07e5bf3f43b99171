"""Questions of a connecting thread reach the window, and the answer reaches the thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from arenascope.qtmodels.bridge import GuiBridge
from arenascope.qtmodels.prompts import GivenSecret, Question, Questions, SecretQuestion, WindowPrompts
from arenascope.remote.prompts import HostKeyQuestion, passphrase_of, password_of

KEY = HostKeyQuestion("door", 22, "ssh-ed25519", "SHA256:abc")


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[GuiBridge]:
    made = GuiBridge()
    made.start()
    yield made
    made.stop()


class Asking(threading.Thread):
    """Asks on a thread of its own and keeps the answer."""

    def __init__(self, ask):  # type: ignore[no-untyped-def]
        super().__init__()
        self._ask = ask
        self.answer: object = "nothing yet"

    def run(self) -> None:
        self.answer = self._ask()

    def over(self) -> bool:
        return not self.is_alive()


def test_a_host_key_is_confirmed_or_refused(bridge: GuiBridge, qtbot: QtBot) -> None:
    questions = Questions(bridge)
    prompts = WindowPrompts(bridge, "pi@door")
    for yes in (True, False):
        shown: list[Question] = []
        questions.show = shown.append
        asking = Asking(lambda: prompts.confirm_host_key(KEY))
        asking.start()
        qtbot.waitUntil(lambda shown=shown: bool(shown))
        assert shown[0].about == KEY
        assert shown[0].target == "pi@door"
        shown[0].answer(yes)
        asking.join()
        assert asking.answer is yes


def test_secrets_are_text_or_nothing(bridge: GuiBridge, qtbot: QtBot) -> None:
    questions = Questions(bridge)
    prompts = WindowPrompts(bridge, "pi@door")
    asked: list[SecretQuestion] = []

    def answer(question: Question) -> None:
        assert isinstance(question.about, SecretQuestion)
        asked.append(question.about)
        question.answer(GivenSecret("s3cret", remember=True) if "pi" in question.about.what else None)

    questions.show = answer
    for ask, expected in (
        (lambda: prompts.password("pi", "door"), "s3cret"),
        (lambda: prompts.passphrase(Path("/home/ada/.ssh/id_x")), None),
    ):
        asking = Asking(ask)
        asking.start()
        qtbot.waitUntil(asking.over)
        assert asking.answer == expected
    assert prompts.remember(password_of("pi", "door"))
    assert not prompts.remember(password_of("pi", "other"))
    assert not prompts.remember(passphrase_of(Path("/home/ada/.ssh/id_x")))
    assert asked[1].what.endswith("id_x")
    assert "/home" not in asked[1].what


def test_cancelling_answers_no_now_and_later(bridge: GuiBridge, qtbot: QtBot) -> None:
    questions = Questions(bridge)
    shown: list[Question] = []
    questions.show = shown.append
    prompts = WindowPrompts(bridge, "pi@door")
    asking = Asking(lambda: prompts.confirm_host_key(KEY))
    asking.start()
    qtbot.waitUntil(lambda: bool(shown))
    prompts.cancel()
    asking.join()
    assert asking.answer is False
    assert prompts.password("pi", "door") is None, "no question after that"
    shown[0].answer(True)  # too late, and harmless


def test_without_anybody_to_ask_the_answer_is_no(bridge: GuiBridge, qtbot: QtBot) -> None:
    questions = Questions(bridge)
    asking = Asking(lambda: WindowPrompts(bridge, "x").confirm_host_key(KEY))
    asking.start()
    qtbot.waitUntil(asking.over)
    assert asking.answer is False
    assert questions is not None
