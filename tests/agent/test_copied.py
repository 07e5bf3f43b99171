"""Work in a copy of a process: same memory, same addresses, and nothing of it stays behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

import pytest

from arenascope_agent import copied, memory
from arenascope_agent.structures import Memory

#: Python from 3.12 on warns of fork beside threads; pytest's own clock is such a thread.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def test_the_copy_answers_with_what_it_was_asked_for() -> None:
    here = os.getpid()
    found = copied.run(lambda pid: {"pid": pid, "copy": os.getpid(), "text": "ä\u2028", "none": None})
    assert found["pid"] == here
    assert found["copy"] != here
    assert (found["text"], found["none"]) == ("ä\u2028", None)


def test_the_copy_sees_the_same_memory_at_the_same_place() -> None:
    text = ctypes.create_string_buffer(b"here")

    def read(_pid: int) -> str:
        found = Memory()
        return found.read(ctypes.addressof(text), 4).decode()

    assert copied.run(read) == "here"


def test_what_the_copy_allocates_is_gone_with_it() -> None:
    before = memory.resident().anon
    assert copied.run(lambda _pid: len(bytearray(b"x") * (64 << 20))) == 64 << 20
    after = memory.resident().anon
    assert before is not None and after is not None
    assert after - before < 8 << 20


def test_an_answer_longer_than_a_pipe() -> None:
    assert copied.run(lambda _pid: "x" * 1_000_000) == "x" * 1_000_000


def test_an_error_in_the_copy_comes_back_in_words() -> None:
    def fail(_pid: int) -> Any:
        raise LookupError("nowhere")

    with pytest.raises(copied.CopyError, match="LookupError: nowhere"):
        copied.run(fail)


def test_a_copy_that_is_ended_is_noticed() -> None:
    with pytest.raises(copied.CopyError, match="signal 9"):
        copied.run(lambda _pid: os.kill(os.getpid(), signal.SIGKILL))


def test_a_copy_that_leaves_without_an_answer_is_noticed() -> None:
    with pytest.raises(copied.CopyError, match="exit status 3"):
        copied.run(lambda _pid: os._exit(3))


def test_a_copy_dies_with_the_process_it_looks_at() -> None:
    """A worker that is killed while it is being read leaves nothing behind."""
    told_read, told_write = os.pipe()
    gone_read, gone_write = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(gone_read)
        copied.run(lambda _pid: (os.write(told_write, b"x"), signal.pause()))
        os._exit(1)
    os.close(gone_write)
    os.read(told_read, 1)  # the copy is at work
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    assert os.read(gone_read, 1) == b""  # the end of the pipe: nobody holds it any more
    for fd in (told_read, told_write, gone_read):
        os.close(fd)


def test_without_room_for_a_copy_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> int:
        raise OSError(12, "Cannot allocate memory")

    before = set(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fork", no_room)
    assert copied.run(lambda pid: [pid, os.getpid()]) == [os.getpid(), os.getpid()]
    assert set(os.listdir("/proc/self/fd")) == before


def test_it_does_not_import_what_only_copies_need() -> None:
    """The measured process carries what it must; the readers are imported in its copies."""
    import subprocess
    from pathlib import Path

    agent = Path(copied.__file__).parents[1]
    code = (
        f"import sys; sys.path.insert(0, {str(agent)!r}); from arenascope_agent import child\n"
        "import arenascope_agent.tasks.inspect\n"
        "print(*[m for m in sys.modules if m.startswith('arenascope_agent') or m in ('numpy', 'inspect')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    loaded = {name.rpartition(".")[2] for name in done.stdout.split()}
    assert "numpy" not in loaded
    assert not loaded & {"layout", "structures", "public_interface", "mappings", "reading", "server"}
