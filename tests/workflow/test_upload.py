"""Uploads that break off, over a real sshd: what is sent again, what stays there, and what does not."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from arenascope.domain.graph import Graph
from arenascope.domain.link_state import LinkKind, LinkState
from arenascope.errors import BoardError, Cancelled, FileError, LinkLost
from arenascope.remote.link import Patience
from arenascope.remote.ssh import SshTransport
from arenascope.remote.ssh_config import HostConfig
from arenascope.tflite.reader import read_model
from arenascope.workflow.connect import connect
from arenascope.workflow.events import RunEvent, UploadProgress
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.staging import stage_model
from tests.support.link_proxy import LinkProxy
from tests.support.models import own
from tests.support.sshd import Sshd, tiny_disk

#: Much more than the window of a channel, so that half of it cannot all be on its way.
SIZE = 8_000_001
#: Bytes of a socket's buffer that are much less than that window.
NARROW = 32 * 1024
BLOCK = 256 * 1024


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, Graph]:
    """A model of some megabytes: one of ours with something behind it."""
    path = tmp_path / "model.tflite"
    data = own("lstm_fused.tflite").read_bytes()
    path.write_bytes(data + os.urandom(SIZE - len(data)))
    return path, read_model(path)


def _send(
    server: Sshd, model: tuple[Path, Graph], at: Callable[[UploadProgress, CancelToken], None] | None = None
) -> tuple[list[int], str]:
    """Send a model; how much was there at each step, and its path there. ``at`` may disturb it."""
    seen: list[int] = []
    cancel = CancelToken()

    def tell(event: RunEvent) -> None:
        if isinstance(event, UploadProgress):
            seen.append(event.done)
            if at is not None:
                at(event, cancel)

    with connect(server.address) as device:
        path = stage_model(device, *model, tell, cancel)
    return seen, path


def _models(server: Sshd) -> list[Path]:
    folder = server.home / ".cache" / "arenascope" / "models"
    return sorted(folder.iterdir()) if folder.exists() else []


def _broken_off(server: Sshd, model: tuple[Path, Graph]) -> Path:
    """What stays of an upload during which the link was cut."""

    def cut(event: UploadProgress, _cancel: CancelToken) -> None:
        if event.done > SIZE // 2:
            server.stop()

    with pytest.MonkeyPatch.context() as patch, pytest.raises(LinkLost):
        patch.setattr("arenascope.remote.link.PATIENCE", Patience(give_up=0.1))
        _send(server, model, cut)
    server.start()
    (part,) = _models(server)
    assert part.name.endswith(".part")
    assert 0 < part.stat().st_size < SIZE
    return part


def test_it_goes_on_by_itself_when_the_connection_comes_back(server: Sshd, model: tuple[Path, Graph]) -> None:
    cuts: list[int] = []

    def cut(event: UploadProgress, _cancel: CancelToken) -> None:
        if event.done > SIZE // 2 and not cuts:
            cuts.append(event.done)
            server.cut()

    seen, path = _send(server, model, cut)
    assert min(seen[seen.index(cuts[0]) + 1 :]) > BLOCK  # not from the beginning
    assert seen[-1] == SIZE
    assert _models(server) == [Path(path)]
    assert Path(path).read_bytes() == model[0].read_bytes()


@pytest.fixture
def narrow(
    server: Sshd, ssh_dir: Path, link_proxy: Callable[[int], LinkProxy], monkeypatch: pytest.MonkeyPatch
) -> tuple[LinkProxy, str]:
    """A way to the server whose buffers hold less than the window of a channel, as on bad Wi-Fi, and its
    address: a sender waits for the network itself."""
    proxy = link_proxy(server.port)
    proxy.narrow(NARROW)
    tcp = SshTransport._tcp

    def narrowed(self: SshTransport, config: HostConfig) -> socket.socket:
        made = tcp(self, config)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW)
        return made

    monkeypatch.setattr(SshTransport, "_tcp", narrowed)
    line = server.known_hosts_line().replace(f":{server.port} ", f":{proxy.port} ")
    with (ssh_dir / "known_hosts").open("a") as file:
        file.write(line)
    return proxy, f"{server.user}@127.0.0.1:{proxy.port}"


def test_a_network_that_takes_nothing_more_is_noticed(
    server: Sshd, model: tuple[Path, Graph], narrow: tuple[LinkProxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, address = narrow
    monkeypatch.setattr("arenascope.remote.link.PATIENCE", Patience(heartbeat=0.1, silence=1.0))
    states: list[LinkKind] = []

    def tell(event: RunEvent) -> None:
        if isinstance(event, UploadProgress) and event.done > SIZE // 4 and LinkKind.LOST not in states:
            proxy.stall()

    def hear(state: LinkState) -> None:
        if state.kind is LinkKind.LOST and LinkKind.LOST not in states:
            proxy.drop()
            proxy.restore()
        states.append(state.kind)

    with connect(address, on_link=hear) as device:
        path = stage_model(device, *model, tell, CancelToken())
    assert LinkKind.LOST in states
    assert Path(path).read_bytes() == model[0].read_bytes()
    assert _models(server) == [Path(path)]


def test_only_the_rest_is_sent_after_a_cut(server: Sshd, model: tuple[Path, Graph]) -> None:
    there = _broken_off(server, model).stat().st_size
    seen, path = _send(server, model)
    assert seen[0] > there
    assert seen[0] - there <= BLOCK
    assert seen[-1] == SIZE
    assert Path(path).read_bytes() == model[0].read_bytes()
    assert _models(server) == [Path(path)]
    assert _send(server, model) == ([], path)


def test_a_part_that_is_damaged_is_sent_anew(server: Sshd, model: tuple[Path, Graph]) -> None:
    part = _broken_off(server, model)
    part.write_bytes(b"?" + part.read_bytes()[1:])
    seen, path = _send(server, model)
    assert seen[0] <= BLOCK
    assert Path(path).read_bytes() == model[0].read_bytes()
    assert _models(server) == [Path(path)]


def test_a_part_that_is_whole_costs_no_bytes(server: Sshd, model: tuple[Path, Graph]) -> None:
    part = _broken_off(server, model)
    part.write_bytes(model[0].read_bytes())
    seen, path = _send(server, model)
    assert seen == []
    assert _models(server) == [Path(path)]


def test_a_part_that_somebody_takes_away_is_sent_anew(server: Sshd, model: tuple[Path, Graph]) -> None:
    _broken_off(server, model)
    with connect(server.address) as device:
        request = device.link.request

        def answered(method: str, *given: object, **more: object) -> dict[str, object]:
            answer = request(method, *given, **more)  # type: ignore[arg-type]
            if method == "file_status":
                Path(str(answer["upload"])).unlink()
            return answer

        device.link.request = answered  # type: ignore[method-assign,assignment]
        path = stage_model(device, *model, lambda event: None, CancelToken())
    assert Path(path).read_bytes() == model[0].read_bytes()


def test_cancelling_leaves_nothing_there(server: Sshd, model: tuple[Path, Graph]) -> None:
    def stop(event: UploadProgress, cancel: CancelToken) -> None:
        if event.done > SIZE // 2:
            cancel.cancel()

    with pytest.raises(Cancelled):
        _send(server, model, stop)
    assert _models(server) == []


def test_a_model_that_changes_meanwhile_leaves_nothing_there(server: Sshd, model: tuple[Path, Graph]) -> None:
    with pytest.raises(FileError, match="became shorter"):
        _send(server, model, lambda event, cancel: os.truncate(model[0], event.done))
    assert _models(server) == []


def test_a_disk_that_fills_meanwhile_is_told_and_left_as_it_was(
    server: Sshd, model: tuple[Path, Graph]
) -> None:
    cache = server.home / ".cache" / "arenascope"
    with tiny_disk(cache / "models", 9000):
        filler = cache / "models" / "filler"

        def fill(event: UploadProgress, _cancel: CancelToken) -> None:
            if not filler.exists():
                filler.write_bytes(b"x" * 5_000_000)

        with pytest.raises(BoardError, match=r"The disk of .* is full") as caught:
            _send(server, model, fill)
        assert caught.value.board_code == "no_space"
        assert _models(server) == [filler]


def test_two_at_once_do_not_disturb_each_other(server: Sshd, model: tuple[Path, Graph]) -> None:
    both = threading.Barrier(2)
    paths: list[str] = []

    def half_way(event: UploadProgress, _cancel: CancelToken) -> None:
        if SIZE // 2 < event.done <= SIZE // 2 + BLOCK:
            both.wait(20)

    threads = [threading.Thread(target=lambda: paths.append(_send(server, model, half_way)[1])) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 2
    assert _models(server) == [Path(paths[0])]
    assert Path(paths[0]).read_bytes() == model[0].read_bytes()


def test_cancelling_while_the_connection_is_lost_does_not_wait_for_it(
    server: Sshd, model: tuple[Path, Graph]
) -> None:
    cancel = CancelToken()
    lost = threading.Event()

    def on_link(state: LinkState) -> None:
        if state.kind is LinkKind.LOST:
            lost.set()
            cancel.cancel()

    with connect(server.address, on_link=on_link) as device:
        server.stop()
        assert lost.wait(20)
        with pytest.raises(Cancelled):
            stage_model(device, *model, lambda event: None, cancel)
