"""Sessions of the real server, behind its real socket, with the scripted worker."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agent.harness import HERE, Agent, watched_end


class Session:
    """``join`` makes connections to one session. Seconds: ``silence`` and ``idle`` of its server."""

    def __init__(self, silence: float, idle: float) -> None:
        self.name = secrets.token_hex(16)
        self._limits = (str(silence), str(idle))
        self.pid = 0

    def command(self, seen: int | None = None) -> tuple[str, ...]:
        """What SSH would run to join."""
        worker = (sys.executable, str(HERE / "scripted_worker.py"))
        word = "new" if seen is None else str(seen)
        script = str(HERE / "serve_session.py")
        return (sys.executable, "-I", "-S", script, self.name, word, *self._limits, *worker)

    def join(self, seen: int | None = None) -> Agent:
        return Agent(*self.command(seen))

    @contextmanager
    def begin(self) -> Iterator[Agent]:
        with self.join() as agent:
            self.pid = agent.hello["pid"]
            yield agent

    @property
    def socket(self) -> Path:
        return run_folder() / f"{self.name}.sock"


def run_folder() -> Path:
    return Path.home() / ".cache/arenascope/agent/run"


@contextmanager
def made(silence: float, idle: float) -> Iterator[Session]:
    """A session; whatever serves it is ended at the end."""
    session = Session(silence, idle)
    yield session
    if session.pid and Path(f"/proc/{session.pid}").exists():
        with watched_end(session.pid) as ended:
            os.kill(session.pid, signal.SIGKILL)
            assert ended()
