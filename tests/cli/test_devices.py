"""``devices``, and ``inspect --device`` over a real SSH server on this computer."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope.domain.layout import MemoryLayout
from arenascope.store.capture import from_json
from tests.cli.running import here, in_process
from tests.support.models import own
from tests.support.sshd import Sshd, StartSshd

MODEL = own("cnn_float.tflite")


def test_an_empty_list_says_how_to_fill_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "devices add" in here(capsys, "devices").out
    for words in (("devices", "list", "--json"), ("devices", "--json")):
        assert here(capsys, *words).json == {"schema": "arenascope.devices/1", "devices": []}
    assert here(capsys, "devices", "--json", "check", "local").code == 2


def test_forgetting_what_was_never_known_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    ran = here(capsys, "devices", "forget", "nobody")
    assert ran.code == 2
    assert "nobody" in ran.err


def test_this_computer_can_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    board = here(capsys, "devices", "check", "local", "--json", "--quiet").json["board"]
    assert board["bits"] in (32, 64)
    assert board["runtime"]
    assert "runtime" in here(capsys, "devices", "check", "local").out


def test_a_board_is_added_checked_used_and_forgotten(server: Sshd) -> None:
    added = in_process("devices", "add", server.address, "--name", "bench", "--json", "--quiet")
    assert added.code == 0, added
    assert added.json["name"] == "bench"
    assert in_process("devices", "list", "--json").json["devices"] == [
        {"name": "bench", "address": server.address}
    ]
    assert in_process("devices", "check", "bench", "--json", "--quiet").json["board"]["runtime"]

    there = in_process("inspect", MODEL, "--device", "bench", "--json", "--quiet", "--delegate", "none")
    assert there.code == 0, there
    at_home = in_process("inspect", MODEL, "--json", "--quiet", "--delegate", "none")
    assert relative(from_json(there.json).layout) == relative(from_json(at_home.json).layout)
    server.wait_for_quiet()
    assert server.processes() == []

    assert in_process("devices", "forget", "bench").code == 0
    assert in_process("devices", "list", "--json").json["devices"] == []


def relative(layout: MemoryLayout) -> list[object]:
    """A layout without its addresses."""
    return [
        (p.key, p.name, p.shape, p.bytes, p.kind, p.offset, p.first_op, p.last_op) for p in layout.placements
    ]


def test_an_unknown_host_key_is_refused_without_a_person(start_sshd: StartSshd, ssh_dir: Path) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    ran = in_process("inspect", MODEL, "--device", server.address, "--json", "--quiet")
    assert ran.code == 4
    assert ran.json["code"] == "host_key_unknown"
    assert server.processes() == []


def test_a_fingerprint_accepts_that_key_and_no_other(start_sshd: StartSshd, ssh_dir: Path) -> None:
    server = start_sshd()
    server.allow(ssh_dir / "id_ed25519.pub")
    add = ("devices", "add", server.address, "--json", "--quiet", "--fingerprint")
    refused = in_process(*add, "SHA256:" + "A" * 43)
    assert refused.code == 4
    assert "is not the one given" in refused.json["message"]
    assert in_process("devices", "list", "--json").json["devices"] == []
    assert in_process(*add, server.fingerprint()).code == 0
    assert in_process("inspect", MODEL, "--device", server.address, "--json", "--quiet").code == 0


def test_a_changed_host_key_is_a_hard_stop(server: Sshd) -> None:
    assert in_process("devices", "add", server.address, "--quiet").code == 0
    server.stop()
    server.make_host_keys()
    server.start()
    ran = in_process("inspect", MODEL, "--device", server.address, "--json", "--quiet")
    assert ran.code == 4
    assert ran.json["code"] == "host_key_changed"
