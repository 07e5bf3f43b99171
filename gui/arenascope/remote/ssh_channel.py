"""One command on the device, as a stream of bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..domain.plain_text import plain
from ..errors import LinkError, LinkLost
from . import ssh_faults as faults

#: Seconds for the far process to leave after its stdin has ended.
LEAVE_TIMEOUT = 3.0
#: Seconds for the command that ends it where it did not, and for its end.
KILL_TIMEOUT = 10.0
#: What the library puts into one packet of the 32 KiB that OpenSSH takes.
PACKET = 32 * 1024 - 64
_STDERR_BYTES = 64 * 1024
_STDERR_LINES = 40
_STDERR_LINE = 4096


class SshChannel:
    """A command that runs on the device: its stdin and stdout as bytes, its stderr as last lines.

    stderr shares the window of stdout, so it is always drained, by a thread of its own.
    ``raw`` is the library's channel and ``foreign`` what it raises, which ``ssh_errors.py`` knows; ``gone``
    hears of the end, ``kill`` ends a process there.
    """

    def __init__(
        self,
        raw: Any,
        name: str,
        foreign: tuple[type[BaseException], ...],
        gone: Callable[[SshChannel], None],
        kill: Callable[[int], None],
    ) -> None:
        self.pid = 0
        self._raw = raw
        self._name = name
        self._foreign = foreign
        self._gone = gone
        self._kill = kill
        self._ahead = b""
        self._tail = b""
        self._sending = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False
        self._drain = threading.Thread(target=self._drain_stderr, name=f"stderr of {name}", daemon=True)
        self._drain.start()

    @property
    def timeout(self) -> float | None:
        """Seconds that ``recv`` and ``send`` wait before TimeoutError; None: as long as it takes."""
        timeout: float | None = self._raw.gettimeout()
        return timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._raw.settimeout(seconds)

    def served_by(self, pid: int) -> None:
        self.pid = pid

    def put_back(self, data: bytes) -> None:
        """Bytes that were read and belong to the reader that comes next."""
        self._ahead = data + self._ahead

    def send(self, data: bytes) -> None:
        with self._sending:
            try:
                start = 0
                while start < len(data):
                    sent = self._raw.send(data[start : start + PACKET])
                    if sent == 0:  # shut for writing; the library's sendall would spin here
                        raise LinkLost(f"The connection to {self._name} is closed.", hint="Connect again.")
                    start += sent
            except TimeoutError as error:
                waited = self._raw.gettimeout() or 0
                raise faults.slow_upload(self._name, waited, plain(repr(error), 1000)) from error
            except self._foreign as error:
                raise faults.cut(self._name, plain(repr(error), 1000)) from error

    def end_of_input(self) -> None:
        """The far side reads the end of its stdin; its output is still to be read."""
        try:
            self._raw.shutdown_write()
        except self._foreign as error:
            raise faults.cut(self._name, plain(repr(error), 1000)) from error

    def recv(self, limit: int) -> bytes:
        if self._ahead:
            ahead, self._ahead = self._ahead[:limit], self._ahead[limit:]
            return ahead
        data: bytes = self._raw.recv(limit)
        if not data:
            self._drain.join(LEAVE_TIMEOUT)  # stderr ends with stdout; its last lines say why
        return data

    def stderr_tail(self) -> str:
        lines = self._tail.decode("utf-8", "replace").splitlines()
        return "\n".join([plain(line, _STDERR_LINE) for line in lines if line][-_STDERR_LINES:])

    def exit_status(self) -> int | None:
        self._raw.status_event.wait(LEAVE_TIMEOUT)  # it follows the end of the stream
        status: int = self._raw.exit_status
        return status if status >= 0 else None  # -1: none was told, or a signal

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
            try:
                self._raw.shutdown_write()  # the end of its stdin is what makes the far process leave
                # The far side said that number, and "kill -1" means every process of the user.
                if not self._raw.status_event.wait(LEAVE_TIMEOUT) and self.pid > 1:
                    self._kill(self.pid)
                    self._raw.status_event.wait(KILL_TIMEOUT)
            except LinkError:
                pass  # the link is gone, and with it the far stdin
            except self._foreign:
                pass  # the same
            self._raw.close()
            self._drain.join(LEAVE_TIMEOUT)
            self._gone(self)

    def _drain_stderr(self) -> None:
        while data := self._read_stderr():
            self._tail = (self._tail + data)[-_STDERR_BYTES:]

    def _read_stderr(self) -> bytes:
        while True:
            try:
                data: bytes = self._raw.recv_stderr(32768)
            except TimeoutError:
                continue  # the time-out of a channel is that of stdout and stdin
            except self._foreign:
                return b""
            return data
