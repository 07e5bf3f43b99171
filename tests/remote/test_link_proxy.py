"""The stretch of bad network that other tests go through does what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.link_proxy import END, RESET, LinkProxy, link_proxy

__all__ = ["link_proxy"]

PATIENCE = 20.0
Make = Callable[[int], LinkProxy]


class Echo:
    """A server that sends back what it gets; ``ends`` says how its connections ended."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends: list[str] = []
        self.ended = threading.Semaphore(0)
        self.links: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.links.append(link)
            self.threads.append(threading.Thread(target=self.echo, args=(link,)))
            self.threads[-1].start()

    def echo(self, link: socket.socket) -> None:
        try:
            while data := link.recv(65536):
                link.sendall(data)
            self.ends.append(END)
            link.shutdown(socket.SHUT_WR)
        except OSError:
            self.ends.append(RESET)
        self.ended.release()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for link in self.links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # ended already
        for thread in self.threads:
            thread.join()
        for link in self.links:
            link.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(link_proxy: Make, echo: Echo) -> LinkProxy:
    return link_proxy(echo.port)


@pytest.fixture
def client(proxy: LinkProxy) -> Iterator[socket.socket]:
    with connect(proxy) as link:
        yield link


def connect(proxy: LinkProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE)


def ask(link: socket.socket, text: bytes) -> bytes:
    link.sendall(text)
    return receive(link, len(text))


def receive(link: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (data := link.recv(size - len(found))):
        found += data
    return found


def is_quiet(link: socket.socket) -> bool:
    """Whether nothing has come, not even an end."""
    link.setblocking(False)
    try:
        link.recv(1)
    except BlockingIOError:
        return True
    finally:
        link.settimeout(PATIENCE)
    return False


def test_a_good_link_carries_everything_and_counts(proxy: LinkProxy, client: socket.socket) -> None:
    text = bytes(range(256)) * 40_000
    sender = threading.Thread(target=client.sendall, args=(text,))
    sender.start()
    assert receive(client, len(text)) == text
    sender.join()
    assert (proxy.bytes_up, proxy.bytes_down) == (len(text), len(text))
    assert (proxy.connections, proxy.open_connections) == (1, 1)


def test_an_end_of_one_direction_is_handed_on(proxy: LinkProxy, client: socket.socket, echo: Echo) -> None:
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert receive(client, 100) == b"last words"
    assert echo.ended.acquire(timeout=PATIENCE)
    assert echo.ends == [END]
    assert proxy.wait_for(lambda p: p.open_connections == 0)


def test_a_reset_is_handed_on(proxy: LinkProxy, client: socket.socket, echo: Echo) -> None:
    assert ask(client, b"hello") == b"hello"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    assert echo.ended.acquire(timeout=PATIENCE)
    assert echo.ends == [RESET]


def test_cut_with_a_reset_and_mended_on_the_same_port(
    proxy: LinkProxy, client: socket.socket, echo: Echo
) -> None:
    assert ask(client, b"hello") == b"hello"
    port = proxy.port
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert echo.ended.acquire(timeout=PATIENCE)
    assert echo.ends == [RESET]
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.restore()
    assert proxy.port == port
    with connect(proxy) as again:
        assert ask(again, b"again") == b"again"


def test_cut_with_an_orderly_end(proxy: LinkProxy, client: socket.socket, echo: Echo) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.cut(END)
    assert client.recv(1) == b""
    assert echo.ended.acquire(timeout=PATIENCE)
    assert echo.ends == [END]
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)


def test_after_a_drop_a_new_connection_is_welcome(proxy: LinkProxy, client: socket.socket) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.drop()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as again:
        assert ask(again, b"again") == b"again"
    assert proxy.connections == 2


def test_in_silence_bytes_vanish_and_the_connection_stays(
    proxy: LinkProxy, client: socket.socket, echo: Echo
) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.silence()
    client.sendall(b"is anybody there?")
    assert proxy.wait_for(lambda p: p.bytes_up == 22)
    with connect(proxy) as late:  # taken, as by a router, and heard by nobody
        late.sendall(b"?")
        assert proxy.wait_for(lambda p: p.bytes_up == 23)
        assert is_quiet(late)
    proxy.restore()
    with connect(proxy) as again:
        assert ask(again, b"again") == b"again"
    client.sendall(b"too late")
    assert proxy.wait_for(lambda p: p.bytes_up == 36)
    assert is_quiet(client)
    assert proxy.bytes_down == 10
    assert echo.ends.count(RESET) == 0


def test_the_far_side_does_not_hear_of_a_client_that_ends_in_silence(
    proxy: LinkProxy, client: socket.socket, echo: Echo
) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.silence()
    client.close()
    with connect(proxy) as marker:  # served after the end of the other
        marker.sendall(b"?")
        assert proxy.wait_for(lambda p: p.bytes_up == 6)
    proxy.restore()
    with connect(proxy) as again:
        assert ask(again, b"again") == b"again"
        assert echo.ends == []


def test_an_idle_connection_outlives_a_silence(proxy: LinkProxy, client: socket.socket) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.silence()
    proxy.restore()
    assert ask(client, b"again") == b"again"


def test_what_waits_in_a_stall_arrives(proxy: LinkProxy, client: socket.socket) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.stall()
    client.sendall(b"in the stall")
    assert is_quiet(client)
    proxy.restore()
    assert receive(client, 12) == b"in the stall"


def test_what_is_delayed_is_on_the_way_until_the_link_is_good_again(
    proxy: LinkProxy, client: socket.socket
) -> None:
    proxy.delay(3600)
    client.sendall(b"hello")
    assert proxy.wait_for(lambda p: p.bytes_up == 5)
    assert is_quiet(client)
    proxy.restore()
    assert receive(client, 5) == b"hello"


def test_a_delay_passes_by_itself(proxy: LinkProxy, client: socket.socket) -> None:
    proxy.delay(0.02)
    assert ask(client, b"hello") == b"hello"


def test_a_server_that_is_not_there_resets(link_proxy: Make) -> None:
    with socket.socket() as taken, pytest.raises(ConnectionResetError):
        taken.bind(("127.0.0.1", 0))
        with connect(link_proxy(taken.getsockname()[1])) as link:
            link.recv(1)


def test_closing_ends_the_thread_and_everything_else(proxy: LinkProxy, client: socket.socket) -> None:
    assert ask(client, b"hello") == b"hello"
    proxy.close()
    proxy.close()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
