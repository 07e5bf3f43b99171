"""A client that may go and come back: one conversation over one connection after another.

The server of a session listens on a Unix socket of its own. Whoever attaches there hands over the two
descriptors of its SSH channel and says how many frames the client has got. Frames are numbered by
counting, in both directions; what the client has not confirmed is kept, within a bound, and sent again.

    ${cache}/agent/run            0700
    ${cache}/agent/run/ID.sock    0600, removed when the server leaves
"""

from __future__ import annotations

import _socket  # ``socket`` around it costs the server a megabyte
import errno
import os
import stat
import struct
import time

from . import cache, protocol
from .channel import CROWDED, GONE, Channel
from .loop import READABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop
    from .protocol import Message

#: Unconfirmed bytes above which nothing more is taken from the worker while nobody is attached.
CROWDED_ALONE = 4 * 1024 * 1024
#: Seconds without a frame of the client after which its connection counts as lost. It sends a ping
#: every few seconds, and a network that vanishes tells nobody (pi-facts.md §5.2).
SILENCE = 45.0
_LOOK = 5.0
#: What a frame that is kept takes beside its bytes; a client's answers may be small and many.
_BESIDE = 48
_INTRODUCTION = 64
#: Connections that may wait for their introduction. One that hangs there gives way to who comes after it.
_MOST_WAITING = 4
_UCRED = struct.Struct("3i")


def run_folder() -> str:
    """Where the sockets lie, made if it is not there. OSError where it is not a folder of this user."""
    folder = os.path.join(cache.root(), "agent", "run")
    os.makedirs(folder, 0o700, exist_ok=True)
    facts = os.lstat(folder)
    if facts.st_uid != os.geteuid() or not os.path.isdir(folder) or os.path.islink(folder):
        raise OSError(1, "not a folder of this user", folder)
    os.chmod(folder, 0o700)
    return folder


def is_session(text: str) -> bool:
    """Whether a text can name a session: 32 hexadecimal digits."""
    return len(text) == 32 and not text.strip("0123456789abcdef")


def boot_id() -> str:
    """Names this start of the device; empty where it is not told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read(36).decode("ascii", "replace")
    except OSError:
        return ""


class Address:
    """The socket of a session. The path of a home may be too long for one, so it is reached from its
    folder; the working directory is as before afterwards."""

    def __init__(self, session: str) -> None:
        self.folder = run_folder()
        self.name = session + ".sock"

    def listen(self) -> _socket.socket:
        """OSError, also where the session has a server already.

        It gets its name when it listens: before, it would look like that of a server that was killed.
        """
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            self._there(lambda: self._begin(listener))
        finally:
            os.umask(mask)
        listener.setblocking(False)
        return listener

    def _begin(self, listener: _socket.socket) -> None:
        unnamed = self.name + ".new"
        listener.bind(unnamed)
        try:
            listener.listen(4)
            if os.path.lexists(self.name):
                raise FileExistsError(errno.EEXIST, "the session has a server", self.name)
            os.rename(unnamed, self.name)
        except OSError:
            os.unlink(unnamed)
            raise

    def connect(self) -> _socket.socket:
        """OSError when no server listens there; BlockingIOError when one hangs with a queue before it."""
        link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        link.setblocking(False)
        self._there(lambda: link.connect(self.name))
        link.setblocking(True)
        return link

    def remove(self) -> None:
        try:
            os.unlink(os.path.join(self.folder, self.name))
        except OSError:
            pass  # somebody was faster, or has put something else there, which is in nobody's way

    def _there(self, work: Callable[[], None]) -> None:
        before = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.chdir(self.folder)
            work()
        finally:
            os.fchdir(before)
            os.close(before)


def remove_stale() -> None:
    """Take away the sockets of servers that were killed: nobody listens behind them any more."""
    for name in os.listdir(run_folder()):
        if not (name.endswith(".sock") and is_session(name[:-5])):
            continue
        address = Address(name[:-5])
        try:
            address.connect().close()
        except ConnectionRefusedError:
            address.remove()
        except OSError:
            pass  # it has gone meanwhile, or it is busy


class SessionChannel:
    """The face of ``Channel`` over one connection after another.

    ``on_lost`` and ``on_back`` hear when the client goes and comes; ``on_end`` of ``start`` only of
    what is no frame, and of a client that has not fetched GONE bytes.
    """

    def __init__(self, loop: Loop, address: Address, listener: _socket.socket, silence: float) -> None:
        self._loop = loop
        self._address = address
        self._listener = listener
        self._silence = silence
        self._channel: Channel | None = None
        self._control: _socket.socket | None = None
        self._waiting: dict[int, _socket.socket] = {}  # attached, and not introduced yet
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._sent = 0
        self._on_room: Callable[[], None] | None = None
        self._on_lost: Callable[[], None] = _nothing
        self._on_back: Callable[[], None] = _nothing
        #: Frames of the client that were taken.
        self.taken = 0

    def start(
        self,
        hello: Message,
        on_payload: Callable[[bytes], None],
        on_end: Callable[[protocol.ProtocolError | None], None],
    ) -> None:
        """Wait for clients from now on; each is greeted with ``hello``."""
        self._hello = hello
        self._on_payload = on_payload
        self._on_end = on_end
        self._loop.watch(self._listener.fileno(), READABLE, self._knocked)
        self._loop.every(min(_LOOK, self._silence), self._listen, time.monotonic())

    def follow(self, on_lost: Callable[[], None], on_back: Callable[[], None]) -> None:
        self._on_lost, self._on_back = on_lost, on_back

    def adopt(self, incoming: int, outgoing: int, control: _socket.socket, seen: int | None) -> None:
        """Talk to a client behind these descriptors, which are closed when it goes; one that was there
        before is let go, unless they cannot be used. ``seen``: frames that it has got; None at the
        beginning of the session."""
        if not (_is_stream(incoming) and _is_stream(outgoing)):
            for fd in (incoming, outgoing):
                os.close(fd)
            control.close()
            if self._channel is None:
                self._on_lost()
            return
        self._let_go()
        missed = self._sent - (seen or 0)
        if not 0 <= missed <= len(self._kept):  # never asked for by a client that keeps its count
            missed = len(self._kept)
        self._channel, self._control = Channel(self._loop, incoming, outgoing), control
        # Whoever holds the other end of ``control`` sends nothing: it is readable when that has gone.
        self._loop.watch(control.fileno(), READABLE, self._abandoned)
        hello = dict(self._hello)
        hello.update(resumed=seen is not None, seen=self.taken, boot=boot_id())
        self._channel.start(hello, self._take, self._ended)
        self._forget(len(self._kept) - missed)
        for frame in list(self._kept):
            if self._channel is not None:  # it may have gone at once
                self._channel.send_frame(frame)
        if self._channel is not None:
            self._on_back()

    @property
    def attached(self) -> bool:
        return self._channel is not None

    @property
    def undelivered(self) -> bool:
        """Whether the client has not confirmed all that was sent."""
        return bool(self._kept)

    @property
    def crowded(self) -> bool:
        return self._kept_bytes > (CROWDED if self.attached else CROWDED_ALONE)

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call once, when the client has confirmed enough. The last one asked for counts."""
        self._on_room = callback

    def confirm(self, seen: int) -> None:
        """The client has got that many frames: they need not be kept."""
        self._forget(max(0, seen - (self._sent - len(self._kept))))
        self._tell_room()

    def send(self, message: Message) -> None:
        self._send(protocol.encode(message))

    def send_payload(self, payload: bytes) -> None:
        self._send(protocol.frame(payload))

    def finish(self, seconds: float) -> None:
        """Give the client that long to take what is waiting; the socket goes as well.

        The waiting shell is let go by the end of this process, so that it never ends before it.
        """
        self._loop.forget(self._listener.fileno())
        self._address.remove()
        self._listener.close()
        if self._channel is not None:
            self._channel.finish(seconds)

    # -- inside ------------------------------------------------------------------------------------

    def _send(self, frame: bytes) -> None:
        self._sent += 1
        self._kept.append(frame)
        self._kept_bytes += len(frame) + _BESIDE
        if self._channel is not None:
            self._channel.send_frame(frame)
        if self._kept_bytes > GONE:
            self._on_end(None)

    def _forget(self, count: int) -> None:
        gone = self._kept[:count]
        del self._kept[:count]
        self._kept_bytes -= sum([len(frame) + _BESIDE for frame in gone])

    def _tell_room(self) -> None:
        if self._on_room is not None and not self.crowded:
            callback, self._on_room = self._on_room, None
            callback()

    def _take(self, payload: bytes) -> None:
        self.taken += 1
        self._on_payload(payload)

    def _ended(self, error: protocol.ProtocolError | None) -> None:
        if error is not None:
            self._on_end(error)
        else:
            self._lose()

    def _abandoned(self, _events: int) -> None:
        self._lose()

    def _lose(self) -> None:
        if self._channel is not None:
            self._let_go()
            self._tell_room()  # with nobody attached there is more of it
            self._on_lost()

    def _let_go(self) -> None:
        channel, control = self._channel, self._control
        self._channel = self._control = None
        if channel is not None:
            channel.close()
        if control is not None:
            self._loop.forget(control.fileno())
            control.close()  # whoever holds its other end leaves now

    def _listen(self) -> None:
        if self._channel is not None and time.monotonic() - self._channel.heard > self._silence:
            self._lose()

    def _knocked(self, _events: int) -> None:
        try:
            fd, _ = self._listener._accept()  # type: ignore[attr-defined]  # what ``socket`` calls, too
        except OSError:
            return  # it went away again
        link = _socket.socket(fileno=fd)
        link.setblocking(False)
        _, user, _ = _UCRED.unpack(link.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _UCRED.size))
        if user not in (os.geteuid(), 0):
            link.close()
            return
        if len(self._waiting) >= _MOST_WAITING:
            oldest = next(iter(self._waiting))
            self._loop.forget(oldest)
            self._waiting.pop(oldest).close()
        self._waiting[fd] = link
        self._loop.watch(fd, READABLE, lambda _events: self._introduced(fd))

    def _introduced(self, fd: int) -> None:
        """A client says how many frames it has got, and its descriptors come along."""
        link = self._waiting.pop(fd)
        self._loop.forget(fd)
        handed: list[int] = []
        try:
            space = _socket.CMSG_SPACE(2 * 4)
            text, ancillary, flags, _ = link.recvmsg(_INTRODUCTION, space, _socket.MSG_CMSG_CLOEXEC)
        except OSError:
            link.close()
            return
        for level, kind, data in ancillary:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                count = len(data) // 4
                handed += struct.unpack("%di" % count, data[: count * 4])
        complete = len(text) < _INTRODUCTION and not flags & _socket.MSG_CTRUNC
        if complete and len(handed) == 2 and text.isdigit():
            self.adopt(handed[0], handed[1], link, int(text))
            return
        for descriptor in handed:
            os.close(descriptor)
        link.close()


def _is_stream(fd: int) -> bool:
    """Whether a descriptor is what a connection has: a pipe, a socket, a terminal. It may be anything."""
    try:
        os.set_blocking(fd, os.get_blocking(fd))  # refused where it only names a file
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)


def _nothing() -> None:
    pass
