"""A process of this computer's runtime: started, spoken to, ended.

It runs native code over files from anywhere, so it may crash or hang at any question. A thread of its own
starts it, reads it and sees it off: the kernel ends the process with the thread that started it.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import arenascope_agent
from arenascope_agent import protocol

from ..domain.plain_text import plain
from ..errors import Cancelled, DeployError, WireError

_READ = 1 << 18
_TAIL = 8 * 1024
#: Bytes of the runtime's own words that are kept in the file behind its stderr.
_MAX_LOG = 1 << 20
_MAX_LINES = 20
_JOIN = 10.0


class Ended(Exception):  # how a question can be answered, not an error of this program
    """The process ended, or was ended at a time limit. ``signal`` '' where it was none."""

    def __init__(self, *, timed_out: bool, signal: str, detail: str) -> None:
        super().__init__(signal)
        self.timed_out = timed_out
        self.signal = signal
        self.detail = detail


class Wakes(Protocol):
    """How to hear of a cancel: ``workflow.jobs.CancelToken`` is one."""

    def raise_if_cancelled(self) -> None: ...
    def on_cancel(self, callback: Any) -> Any: ...


class ShapesProcess:
    """One process. DeployError when it cannot be started. For one conversation at a time."""

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[tuple[object, bytes | None]] = queue.SimpleQueue()
        self._frames = protocol.FrameReader()
        self._messages: list[dict[str, Any]] = []
        self._next = 1
        self.owed = 0  #: questions that are not answered yet
        self._timer: threading.Timer | None = None
        self._over = False
        self._killed_late = False
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._process: subprocess.Popen[bytes] | None = None
        self._failed: OSError | None = None
        started = threading.Event()
        self._thread = threading.Thread(target=self._attend, args=(started,), name="shapes", daemon=True)
        self._thread.start()
        started.wait()
        self._raise_if_failed()

    def _raise_if_failed(self) -> None:
        if self._failed is None:
            return
        self._log.close()
        raise DeployError(
            f"The runtime cannot be started on this computer: {self._failed.strerror or self._failed}.",
            hint="Free some memory or end some processes, then try again.",
        ) from self._failed

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def over(self) -> bool:
        return self._over or self._process is None or self._process.poll() is not None

    def ask(self, method: str, questions: Iterable[dict[str, Any]]) -> None:
        """Send questions at once; events and responses will come in their order."""
        assert self._process is not None
        assert self._process.stdin is not None
        messages = b""
        for params in questions:
            messages += protocol.encode(protocol.request(self._next, method, params), protocol.MAX_REQUEST)
            self._next += 1
            self.owed += 1
        try:
            self._process.stdin.write(messages)
            self._process.stdin.flush()
        except OSError:  # it has ended: whoever waits for the answer hears it
            pass

    def next(self, deadline: float, cancel: Wakes | None = None) -> dict[str, Any]:
        """The next message. Ended, Cancelled, and WireError for what is no message."""
        token = object()
        forget = cancel.on_cancel(lambda: self._arrived.put((token, None))) if cancel else None
        try:
            while not self._messages:
                data = self._wait(deadline, token)
                try:
                    self._messages = [protocol.decode_payload(p) for p in self._frames.feed(data)]
                except protocol.ProtocolError as error:
                    self.kill()
                    raise WireError(
                        "What the runtime of this computer sent is not the protocol.",
                        detail=plain(str(error), 500),
                    ) from error
        finally:
            if forget is not None:
                forget()
        message = self._messages.pop(0)
        if message.get("type") == "response":
            self.owed -= 1
        return message

    def _wait(self, deadline: float, token: object) -> bytes:
        while True:
            try:
                sender, data = self._arrived.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                self._killed_late = True
                self.kill()
                raise self._end() from None
            if sender is token:
                raise Cancelled("Stopped as asked.", hint="")
            if sender is not self:
                continue  # a cancel of a conversation that is over
            if data is None:
                raise self._end()
            return data

    def _end(self) -> Ended:
        """How it ended, waiting for that."""
        assert self._process is not None
        self._over = True
        status = self._process.wait()
        name = ""
        if status < 0:
            try:
                name = signal.Signals(-status).name
            except ValueError:
                name = f"signal {-status}"
        return Ended(
            timed_out=self._killed_late, signal="" if self._killed_late else name, detail=self._said()
        )

    def _said(self) -> str:
        """The last lines that it wrote for people."""
        fd = self._log.fileno()
        size = os.fstat(fd).st_size
        self._log.seek(max(size - _TAIL, 0))
        lines = self._log.read(_TAIL).decode("utf-8", "replace").strip("\0").splitlines()
        return "\n".join(plain(line, 500) for line in lines[-_MAX_LINES:])

    def abandon(self, grace: float) -> None:
        """What is owed will not be waited for: end the process unless it answers within ``grace``."""
        if self.owed and not self.over:
            self._timer = threading.Timer(grace, self.kill)
            self._timer.daemon = True
            self._timer.start()

    def settle(self, grace: float) -> bool:
        """Drop what is still owed to nobody. False where it does not come; the process is ended then."""
        deadline = time.monotonic() + grace
        try:
            while self.owed:
                self.next(deadline)
        except (Ended, WireError):
            return False
        finally:
            self._forget_timer()
        self._limit_log()
        return not self.over

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End it, and wait for its end. May be called twice."""
        self._over = True
        self._forget_timer()
        self.kill()
        self._thread.join(_JOIN)
        self._log.close()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            if self._timer is not threading.current_thread():
                self._timer.join(_JOIN)
            self._timer = None

    def _limit_log(self) -> None:
        if os.fstat(self._log.fileno()).st_size > _MAX_LOG:
            self._log.truncate(0)

    def _attend(self, started: threading.Event) -> None:
        try:
            process = self._process = _start(self._log)
        except OSError as error:
            self._failed = error
            return
        finally:
            started.set()
        assert process.stdout is not None
        assert process.stdin is not None
        out = process.stdout.fileno()
        while data := os.read(out, _READ):
            self._arrived.put((self, data))
        process.wait()
        self._arrived.put((self, None))
        process.stdout.close()
        try:
            process.stdin.close()
        except OSError:
            pass


def _start(log: Any) -> subprocess.Popen[bytes]:
    main = Path(arenascope_agent.__path__[0]) / "__main__.py"
    return subprocess.Popen(
        [sys.executable, str(main), "shapes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, protocol.ENV_SERVER_PID: str(os.getpid())},
        start_new_session=True,  # Ctrl+C in the terminal is ours to handle
    )
