"""The list of saved devices: kept whole, or damaged in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arenascope.errors import FileError, StoreError
from arenascope.store import devices
from arenascope.store.devices import SCHEMA, SavedDevice
from tests.support.sshd import mode

LAB = SavedDevice("lab", "pi@10.0.0.7:2200")
DOOR = SavedDevice("pi 3 at the door – <b>", "door")


def test_it_is_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config" / "devices.json"
    assert devices.load(path) == ()
    devices.save((LAB, DOOR), path)
    assert devices.load(path) == (LAB, DOOR)
    assert mode(path.parent) == 0o700
    devices.save((), path)
    assert devices.load(path) == ()
    assert list(path.parent.iterdir()) == [path]


def _document(**changes: object) -> bytes:
    entries = [{"name": LAB.name, "address": LAB.address}]
    return json.dumps({"schema": SCHEMA, "devices": entries, **changes}).encode()


def test_what_is_read() -> None:
    assert json.loads(_document())["schema"] == "arenascope.saved-devices/1"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"null",
        _document()[:-10],
        _document(schema="arenascope.saved-devices/2"),
        _document(devices=None),
        _document(devices=[{"name": "lab"}]),
        _document(devices=[{"name": 1, "address": "x"}]),
        _document(devices=[{"name": "lab", "address": "a"}, {"name": "lab", "address": "b"}]),
        b" " * (1024**2 + 1),
    ],
)
def test_a_damaged_list_is_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "devices.json"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        devices.load(path)
    assert str(path) in caught.value.hint
    assert path.read_bytes() == content  # nobody repairs it behind the user's back


def test_what_cannot_be_written_leaves_the_old_list(tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    devices.save((LAB,), path)
    with pytest.raises(FileError, match="Cannot make the folder"):
        devices.save((DOOR,), path / "deeper" / "devices.json")
    assert devices.load(path) == (LAB,)
