"""A real server process and the frames that go to it and come from it."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from arenascope_agent import protocol

if TYPE_CHECKING:
    from arenascope_agent.protocol import Message

HERE = Path(__file__).resolve().parent
AGENT_MAIN = HERE.parents[1] / "agent" / "arenascope_agent" / "__main__.py"
#: Seconds after which a test gives up; never a measure of anything.
PATIENCE = 30.0


class Agent:
    """``with Agent() as agent:`` a server whose worker is ``scripted_worker.py``, greeted already."""

    def __init__(self, *command: str, worker: tuple[str, ...] | None = None) -> None:
        scripted = worker or (sys.executable, str(HERE / "scripted_worker.py"))
        self._command = command or (sys.executable, "-I", "-S", str(HERE / "serve_scripted.py"), *scripted)
        self._frames = protocol.FrameReader()
        self._arrived: list[Message] = []
        self._last_id = 0
        self.hello: Message = {}

    def __enter__(self) -> Agent:
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            assert self._read_exactly(len(protocol.GREETING)) == protocol.GREETING
            self.hello = self.next()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> int:
        """Send a request; its number."""
        self._last_id += 1
        self.send(protocol.encode(protocol.request(self._last_id, method, params)))
        return self._last_id

    def answer(self, method: str, **params: Any) -> Message:
        """Send a request and take its response or error; events in between stay for later."""
        number = self.ask(method, **params)
        return self.take(lambda m: m["type"] in ("response", "error") and m["id"] == number)

    def run(self, model: str, **options: Any) -> int:
        """Start the scripted worker; the number of the run."""
        answer = self.answer("run", task="inspect", params={"model": model}, **options)
        number = answer["result"]["run"]
        assert isinstance(number, int)
        return number

    def event(self, run: int, name: str) -> dict[str, Any]:
        """The data of the next event of that name; earlier ones of other names are dropped."""
        message = self.take(lambda m: m.get("run") == run and m["name"] == name, keep=False)
        data = message["data"]
        assert isinstance(data, dict)
        return data

    def events(self, run: int) -> list[tuple[str, dict[str, Any]]]:
        """Every event of a run up to and with its "ended"."""
        found = []
        while not found or found[-1][0] != "ended":
            message = self.take(lambda m: m.get("run") == run)
            found.append((message["name"], message["data"]))
        return found

    def take(self, wanted: Callable[[Message], bool], *, keep: bool = True) -> Message:
        passed: list[Message] = []
        while True:
            message = self._arrived.pop(0) if self._arrived else self.next()
            if wanted(message):
                if keep:
                    self._arrived[:0] = passed
                return message
            passed.append(message)

    def next(self) -> Message:
        """The next frame from the wire; AssertionError when the stream ends."""
        while not self._arrived:
            data = self._read()
            assert data, "the agent ended: " + self.stderr()
            self._arrived.extend(protocol.decode_payload(p) for p in self._frames.feed(data))
        return self._arrived.pop(0)

    def rest(self) -> list[Message]:
        """All frames up to the end of the stream."""
        while data := self._read():
            self._arrived.extend(protocol.decode_payload(p) for p in self._frames.feed(data))
        rest, self._arrived = self._arrived, []
        return rest

    def stderr(self) -> str:
        """Everything on stderr, up to its end."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def _read(self, limit: int = 65536) -> bytes:
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        assert select.select([fd], [], [], PATIENCE)[0], "nothing came from the agent"
        return os.read(fd, limit)

    def _read_exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._read(count - len(data))
            assert more, "the agent ended: " + self.stderr()
            data += more
        return data


def memory_peak(pid: int) -> int:
    """Resident bytes that a process had at most; 0 for one that has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    _, found, rest = text.partition("VmHWM:")
    return int(rest.split()[0]) * 1024 if found else 0


def starve(agent: Agent, pid: int, method: str) -> int:
    """Send requests and read nothing until the server has had enough. The bytes that it took at most."""
    requests = b"".join(protocol.encode(protocol.request(n, method, {})) for n in range(200))
    peak = 0
    try:
        while True:
            agent.send(requests)
            peak = max(peak, memory_peak(pid))
    except BrokenPipeError:
        return peak


@contextlib.contextmanager
def watched_end(pid: int) -> Iterator[Callable[[], bool]]:
    """Whether that process ended, waiting for it. To be entered while it runs."""
    descriptor = os.pidfd_open(pid)
    try:
        yield lambda: bool(select.select([descriptor], [], [], PATIENCE)[0])
    finally:
        os.close(descriptor)
