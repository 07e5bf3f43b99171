"""Work in a fork: what comes back from it, and how much of anything it may take."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arenascope_agent import aside, protocol
from arenascope_agent.aside import Failure
from arenascope_agent.children import Children
from arenascope_agent.loop import Loop
from tests.agent.harness import Agent

SIGNALS = (signal.SIGCHLD,)


@pytest.fixture
def signals() -> Iterator[None]:
    """The signals of this process are as before afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def answer_of(work: Callable[[], dict[str, Any]], limit: float = 30.0) -> dict[str, Any] | Failure:
    loop = Loop()
    found: list[dict[str, Any] | Failure] = []

    def done(answer: dict[str, Any] | Failure) -> None:
        found.append(answer)
        loop.stop()

    aside.run(loop, Children(loop), work, done, limit)
    loop.run()
    (answer,) = found
    return answer


def failure_of(work: Callable[[], dict[str, Any]], limit: float = 30.0) -> str:
    answer = answer_of(work, limit)
    assert isinstance(answer, Failure)
    assert answer.code == protocol.IO_FAILED
    return answer.message


@pytest.mark.usefixtures("signals")
def test_an_answer_that_is_as_long_as_it_may_be() -> None:
    text = "x" * (aside.MOST_ANSWER - len('{"result":{"a":""}}'))
    assert answer_of(lambda: {"a": text}) == {"a": text}
    assert "longer than" in failure_of(lambda: {"a": text + "x"})


def _takes_all_memory() -> dict[str, Any]:
    taken = []
    while True:
        taken.append(bytearray(1024 * 1024))


def _asks_for_nothing_that_can_be_written() -> dict[str, Any]:
    return {"a": os.open("a\ud800", os.O_RDONLY)}


@pytest.mark.usefixtures("signals")
def test_work_that_takes_too_much_memory_is_ended() -> None:
    assert "more memory" in failure_of(_takes_all_memory)


@pytest.mark.usefixtures("signals")
def test_work_that_fails_without_words() -> None:
    assert "without an answer" in failure_of(_asks_for_nothing_that_can_be_written)


def _is_cut_off() -> dict[str, Any]:
    (write_end,) = (int(fd) for fd in os.listdir("/proc/self/fd") if "pipe:" in _target(fd))
    os.write(write_end, b'{"result":{"a":')
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _target(fd: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""  # the one that lists the folder


@pytest.mark.usefixtures("signals")
def test_work_that_is_killed_in_the_middle_of_its_answer() -> None:
    assert "without an answer" in failure_of(_is_cut_off)


def test_only_some_forks_work_at_a_time() -> None:
    with Agent() as agent:
        numbers = [agent.ask("file_status", sha256=f"{n:064x}", bytes=1) for n in range(20)]
        answers = [agent.take(lambda m, n=n: m["id"] == n) for n in numbers]
        refused = [answer for answer in answers if answer["type"] == "error"]
        assert len(refused) < 20
        assert {answer["code"] for answer in refused} <= {protocol.BUSY}
        assert agent.answer("file_status", sha256="f" * 64, bytes=1)["type"] == "response"


def test_only_some_uploads_are_begun_at_a_time(private_home: Path) -> None:
    folder = private_home / ".cache/arenascope/models"
    with Agent() as agent:
        names = [f"{n:064x}" for n in range(40)]
        answers = [agent.answer("file_status", sha256=name, bytes=1) for name in names]
        assert [answer["type"] for answer in answers] == ["response"] * 32 + ["error"] * 8
        assert answers[-1]["code"] == protocol.BUSY
        assert len(list(folder.iterdir())) == 32
        Path(answers[0]["result"]["upload"]).unlink()  # as when it is adopted
        assert agent.answer("file_status", sha256=names[0], bytes=1)["type"] == "response"
    assert list(folder.iterdir()) == []
