"""Boards that are known by a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from arenascope.errors import HostKeyUnknown, LinkError, StoreError, UsageError
from arenascope.remote import system_keyring
from arenascope.remote.address import Address
from arenascope.remote.prompts import HostKeyQuestion, NoPrompts
from arenascope.settings import places
from arenascope.store.devices import SavedDevice, save
from arenascope.workflow import devices
from tests.support.keyrings import MemoryKeyring
from tests.support.sshd import Sshd, StartSshd


class Yes(NoPrompts):
    def confirm_host_key(self, question: HostKeyQuestion) -> bool:
        return True


def test_nothing_is_saved_at_first() -> None:
    assert devices.list_devices() == ()
    with pytest.raises(UsageError, match="“lab”"):
        devices.forget("lab")


def test_adding_checking_and_forgetting(start_sshd: StartSshd, ssh_dir: Path) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    with pytest.raises(HostKeyUnknown):
        devices.add(server.address, "lab")
    assert devices.list_devices() == ()
    progress: list[str] = []
    added = devices.add(server.address, "lab", Yes(), lambda event: progress.append(event.text))
    assert added.device == SavedDevice("lab", server.address)
    assert added.board.name == "lab", "by which the next steps call it"
    assert progress
    assert devices.list_devices() == (added.device,)
    assert devices.resolve("lab") == Address("ssh", server.address, "127.0.0.1", server.user, server.port)
    board = devices.check("lab")
    assert board.machine == added.board.machine is not None
    assert board.ram_total and board.runtime
    assert devices.forget("lab") == added.device
    assert devices.list_devices() == ()
    assert places().known_hosts.exists()  # forgetting a name does not forget a key
    assert server.processes() == []


def test_the_name_is_by_default_the_host(server: Sshd) -> None:
    assert devices.add(server.address).device.name == "127.0.0.1"


@pytest.mark.parametrize("name", ["local", "this computer", "a@b", "a:b", "a/b", "[a]", "a\nb", "x" * 65])
def test_names_that_cannot_be(name: str, server: Sshd) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        devices.add(server.address, name)


def test_a_name_is_taken_once() -> None:
    save((SavedDevice("lab", "pi@board"),), places().devices)
    with pytest.raises(UsageError, match="saved already") as caught:
        devices.add("pi@other", "lab")
    assert "devices forget lab" in caught.value.hint


def test_this_computer_need_not_be_added() -> None:
    with pytest.raises(UsageError, match="need not be added"):
        devices.add("local")


def test_a_device_that_does_not_answer_is_not_saved(closed_port: int, ssh_dir: Path) -> None:
    with pytest.raises(LinkError, match="refuses connections"):
        devices.add(f"pi@127.0.0.1:{closed_port}", "lab")
    assert devices.list_devices() == ()


def test_what_is_no_name_is_an_address() -> None:
    assert devices.resolve("pi@10.0.0.7:2200").port == 2200
    assert devices.resolve("board").host == "board"
    assert devices.resolve("local").kind == "local"


@pytest.mark.parametrize(
    "use", [devices.list_devices, lambda: devices.resolve("lab"), lambda: devices.forget("lab")]
)
def test_a_damaged_list_is_said_so(use: Callable[[], object]) -> None:
    places().devices.parent.mkdir(parents=True)
    places().devices.write_text("{")
    with pytest.raises(StoreError, match="list of saved devices"):
        use()
    assert devices.resolve("pi@board").host == "board"  # that needs no list


def test_forgetting_a_device_forgets_its_password(memory_keyring: MemoryKeyring, private_home: Path) -> None:
    (private_home / ".ssh").mkdir()
    (private_home / ".ssh" / "config").write_text("Host lab\n HostName 10.0.0.7\n User pi\n")
    save(
        (SavedDevice("one", "lab"), SavedDevice("two", "pi@10.0.0.7"), SavedDevice("three", "pi@10.0.0.8")),
        places().devices,
    )
    for name in ("pi@10.0.0.7:22", "pi@10.0.0.8:22"):
        system_keyring.put(name, "secret")
    devices.forget("two")
    assert len(memory_keyring.kept) == 2  # another name of the same account is still there
    devices.forget("one")
    assert list(memory_keyring.kept) == [(system_keyring.SERVICE, "pi@10.0.0.8:22")]
    memory_keyring.broken = True
    with pytest.raises(StoreError, match="still holds its password") as caught:
        devices.forget("three")
    assert "pi@10.0.0.8:22" in caught.value.hint
    assert devices.list_devices() == ()


def test_a_device_that_cannot_be_understood_any_more_is_forgotten(private_home: Path) -> None:
    (private_home / ".ssh").mkdir()
    (private_home / ".ssh" / "config").write_text("Port seven\n")
    save((SavedDevice("lab", "pi@board"),), places().devices)
    devices.forget("lab")
    assert devices.list_devices() == ()
