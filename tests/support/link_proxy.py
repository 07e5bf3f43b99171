"""A stretch of bad network: a TCP proxy on 127.0.0.1 that can be cut, silenced, stalled, delayed and mended.

    with LinkProxy(("127.0.0.1", server.port)) as link:
        connect to link.port
        link.cut()          every connection ends with a reset, new ones are refused
        link.restore()      the same port works again

One thread does everything; each order is carried out when its call returns.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType

import pytest

_BLOCK = 64 * 1024
#: Bytes on the way in one direction; a sender above it waits, as on a real link.
_WINDOW = 1024 * 1024
#: A socket closed with this linger sends a reset.
_RESET = struct.pack("ii", 1, 0)

RESET, END = "reset", "end"


class _End:
    """One of the two sockets of a connection, and what is on the way to it."""

    peer: _End

    def __init__(self, link: socket.socket, *, is_client: bool) -> None:
        self.link = link
        self.is_client = is_client
        self.connected = is_client
        self.waiting: deque[tuple[float, bytes]] = deque()  # due (time.monotonic) and bytes
        self.size = 0
        self.ended = False  # nothing more comes from it
        self.told = False  # it knows that nothing more comes from its peer
        self.lost = False  # bytes vanished: this connection never works again


class LinkProxy:
    """``port`` is where to connect. ``bytes_up`` and ``bytes_down`` count what came from clients and from
    the server, ``connections`` those ever accepted, ``open_connections`` those that are there."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._ends: set[_End] = set()
        self._listener: socket.socket | None = None
        self._orders: deque[tuple[Callable[[], None], threading.Event]] = deque()
        self._changed = threading.Condition()
        self._delay = 0.0
        self._silent = self._stalled = self._over = False
        self.bytes_up = self.bytes_down = self.connections = self.open_connections = 0
        self.port = 0
        self._listen()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=f"link proxy {self.port}")
        self._thread.start()

    def __enter__(self) -> LinkProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------- orders

    def cut(self, how: str = RESET) -> None:
        """End every connection on both sides, with a reset or an orderly end, and refuse new ones."""

        def order() -> None:
            self._refuse()
            self._drop_all(how)

        self._order(order)

    def drop(self, how: str = RESET) -> None:
        """End the present connections on both sides; a new one is welcome."""
        self._order(lambda: self._drop_all(how))

    def silence(self) -> None:
        """Bytes vanish in both directions and connections stay, as when a radio link is gone for good.

        A connection that lost bytes stays silent after ``restore``; ``drop`` ends it.
        """

        def order() -> None:
            self._silent = True
            for end in self._ends:
                if end.waiting:
                    self._lose(end)

        self._order(order)

    def stall(self) -> None:
        """Bytes wait, as on a link that is bad for a while; ``restore`` delivers them all."""

        def order() -> None:
            self._stalled = True

        self._order(order)

    def delay(self, seconds: float) -> None:
        """What comes from now on takes this long in each direction."""

        def order() -> None:
            self._delay = seconds

        self._order(order)

    def narrow(self, size: int) -> None:
        """Connections that are made from now on have so small a buffer here."""

        def order() -> None:
            assert self._listener is not None
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

        self._order(order)

    def restore(self) -> None:
        """A good link again, on the same port; what was still on the way arrives."""

        def order() -> None:
            self._silent = self._stalled = False
            self._delay = 0.0
            for end in self._ends:
                end.waiting = deque((0.0, data) for _, data in end.waiting)
            self._listen()

        self._order(order)

    def close(self) -> None:
        """End everything; the thread is gone when this returns."""

        def order() -> None:
            self._over = True

        if self._thread.is_alive():
            self._order(order)
        self._thread.join()

    def wait_for(self, true: Callable[[LinkProxy], bool], timeout: float = 30.0) -> bool:
        """Wait until ``true`` of this proxy; it is asked whenever bytes or connections came or went."""
        with self._changed:
            return self._changed.wait_for(lambda: true(self), timeout)

    def _order(self, what: Callable[[], None]) -> None:
        done = threading.Event()
        self._orders.append((what, done))
        self._wake.send(b"!")
        done.wait()

    # ---------------------------------------------------------- in the thread, from here on

    def _run(self) -> None:
        try:
            while not self._over:
                for key, events in self._selector.select(self._until_due()):
                    if key.fileobj is self._woken:
                        self._take_orders()
                    elif key.fileobj is self._listener:
                        self._accept()
                    else:
                        self._serve(key.data, events)
                for end in tuple(self._ends):
                    self._push(end)
                for end in tuple(self._ends):
                    self._watch(end)
                with self._changed:
                    self.open_connections = len(self._ends) // 2
                    self._changed.notify_all()
        finally:
            self._refuse()
            self._drop_all(RESET)
            self._selector.close()
            self._wake.close()
            self._woken.close()

    def _take_orders(self) -> None:
        self._woken.recv(4096)
        while self._orders:
            order, done = self._orders.popleft()
            order()
            done.set()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(("127.0.0.1", self.port))
            self._listener.listen(16)
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _refuse(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return  # gone before it was taken
        client, server = _End(accepted, is_client=True), _End(socket.socket(), is_client=False)
        client.peer, server.peer = server, client
        for end in (client, server):
            end.link.setblocking(False)
            end.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends.add(end)
        self.connections += 1
        server.link.connect_ex(self._target)

    def _serve(self, end: _End, events: int) -> None:
        if end not in self._ends:
            return  # ended by what came before it in this round
        if events & selectors.EVENT_WRITE and not end.connected:
            if end.link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._drop(end, RESET)
                return
            end.connected = True
        if events & selectors.EVENT_READ:
            self._pull(end)

    def _pull(self, end: _End) -> None:
        try:
            data = end.link.recv(_BLOCK)
        except BlockingIOError:
            return
        except OSError:
            if end.lost or self._silent:
                end.ended = True
                self._lose(end)  # the other side never hears of it
            else:
                self._drop(end, RESET)
            return
        end.ended = not data
        if end.is_client:
            self.bytes_up += len(data)
        else:
            self.bytes_down += len(data)
        if end.lost or self._silent:
            self._lose(end)
        elif data:
            end.peer.waiting.append((time.monotonic() + self._delay, data))
            end.peer.size += len(data)

    def _lose(self, end: _End) -> None:
        """What is on the way vanishes, and the connection never works again."""
        for one in (end, end.peer):
            one.lost = True
            one.waiting.clear()
            one.size = 0

    def _push(self, end: _End) -> None:
        """Send what is due; then, if nothing more comes, say so."""
        if end not in self._ends or not end.connected or end.lost or self._stalled or self._silent:
            return
        try:
            while end.waiting and end.waiting[0][0] <= time.monotonic():
                due, data = end.waiting[0]
                sent = end.link.send(data)
                end.size -= sent
                end.waiting.popleft()
                if sent < len(data):
                    end.waiting.appendleft((due, data[sent:]))
            if end.peer.ended and not end.waiting and not end.told:
                end.told = True
                end.link.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self._drop(end, RESET)
            return
        if end.told and end.peer.told:
            self._drop(end, END)

    def _watch(self, end: _End) -> None:
        """Ask the selector for what this socket may do now."""
        if end not in self._ends:
            return
        events = 0
        if end.connected and not end.ended and not self._stalled and end.peer.size < _WINDOW:
            events |= selectors.EVENT_READ
        held = end.lost or self._stalled or self._silent
        due = bool(end.waiting) and end.waiting[0][0] <= time.monotonic()
        if not end.connected or (due and not held):
            events |= selectors.EVENT_WRITE
        registered = self._selector.get_map().get(end.link)
        if registered is None and events:
            self._selector.register(end.link, events, end)
        elif registered is not None and not events:
            self._selector.unregister(end.link)
        elif registered is not None and registered.events != events:
            self._selector.modify(end.link, events, end)

    def _until_due(self) -> float | None:
        """Seconds until something delayed is to be sent; None: nothing is."""
        if self._stalled or self._silent:
            return None
        due = [end.waiting[0][0] for end in self._ends if end.waiting and not end.lost]
        later = [moment for moment in due if moment > time.monotonic()]
        return max(0.0, min(later) - time.monotonic()) if later else None

    def _drop_all(self, how: str) -> None:
        for end in tuple(self._ends):
            self._drop(end, how)

    def _drop(self, end: _End, how: str) -> None:
        for one in (end, end.peer):
            if one not in self._ends:
                continue
            self._ends.remove(one)
            with contextlib.suppress(KeyError):
                self._selector.unregister(one.link)
            with contextlib.suppress(OSError):
                if how == RESET:
                    one.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                else:
                    one.link.shutdown(socket.SHUT_WR)
            one.link.close()


@pytest.fixture
def link_proxy() -> Iterator[Callable[[int], LinkProxy]]:
    """Make proxies before ports of this computer; all are gone at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda port: stack.enter_context(LinkProxy(("127.0.0.1", port)))
