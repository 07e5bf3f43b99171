"""Models in the cache: verified, private, bounded; nothing else is written or removed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from arenascope_agent import cache, protocol
from arenascope_agent.aside import Failure
from arenascope_agent.cache import ModelCache
from tests.agent.harness import PATIENCE, Agent


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def upload(models: ModelCache, data: bytes) -> Path:
    """A model brought in whole; its final path."""
    answer = models.status(digest(data), len(data))
    Path(answer["upload"]).write_bytes(data)
    return Path(models.adopt(digest(data), answer["upload"])["path"])


@pytest.fixture
def models(tmp_path: Path) -> ModelCache:
    return ModelCache(str(tmp_path / "arenascope" / "models"))


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).lstat().st_mode)


def test_the_cache_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch, private_home: Path) -> None:
    assert cache.root() == str(private_home / ".cache" / "arenascope")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache.root() == "/elsewhere/arenascope"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.root() == str(private_home / ".cache" / "arenascope")


def test_a_model_is_absent_then_sent_then_present(models: ModelCache) -> None:
    data = b"model" * 1000
    first = models.status(digest(data), len(data))
    assert first["present"] is False
    assert mode(first["upload"]) == 0o600
    Path(first["upload"]).write_bytes(data)
    path = Path(models.adopt(digest(data), first["upload"])["path"])
    assert path.read_bytes() == data
    assert mode(path) == 0o600
    assert mode(path.parent) == mode(path.parent.parent) == 0o700
    again = models.status(digest(data), len(data))
    assert (again["present"], again["path"], again["upload"]) == (True, str(path), "")
    assert os.listdir(path.parent) == [digest(data)]


def test_two_uploads_of_one_model_have_different_names(models: ModelCache) -> None:
    first, second = (models.status("a" * 64, 1)["upload"] for _ in range(2))
    assert first != second


def test_a_damaged_upload_is_removed_and_told(models: ModelCache) -> None:
    answer = models.status(digest(b"right"), 5)
    Path(answer["upload"]).write_bytes(b"wrong")
    with pytest.raises(Failure) as failure:
        models.adopt(digest(b"right"), answer["upload"])
    assert failure.value.code == protocol.HASH_MISMATCH
    assert not Path(answer["upload"]).exists()
    assert not Path(answer["path"]).exists()


def test_a_model_that_was_damaged_later_is_not_present(models: ModelCache) -> None:
    path = upload(models, b"model")
    path.write_bytes(b"molde")
    answer = models.status(digest(b"model"), 5)
    assert answer["present"] is False
    assert not path.exists()


def test_a_link_in_the_place_of_a_model_is_not_followed(models: ModelCache, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"model")
    path = upload(models, b"model")
    path.unlink()
    path.symlink_to(target)
    assert models.status(digest(b"model"), 5)["present"] is False
    assert target.read_bytes() == b"model"


@pytest.mark.parametrize("place", ["/etc/passwd", "{folder}/../x.part", "{folder}/" + "b" * 64 + ".x.part"])
def test_only_an_upload_of_the_cache_is_adopted(models: ModelCache, place: str) -> None:
    models.status("a" * 64, 1)
    with pytest.raises(Failure) as failure:
        models.adopt("a" * 64, place.format(folder=models.folder))
    assert failure.value.code == protocol.INVALID


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_an_upload_that_is_no_file_is_refused(models: ModelCache, tmp_path: Path, kind: str) -> None:
    place = Path(models.status(digest(b"x"), 1)["upload"])
    place.unlink()
    if kind == "link":
        (tmp_path / "x").write_bytes(b"x")
        place.symlink_to(tmp_path / "x")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    with pytest.raises(OSError):
        models.adopt(digest(b"x"), str(place))


def test_nothing_uploaded(models: ModelCache) -> None:
    place = models.status("a" * 64, 1)["upload"]
    os.unlink(place)
    with pytest.raises(Failure) as failure:
        models.adopt("a" * 64, place)
    assert failure.value.code == protocol.NOT_FOUND


def test_the_least_recently_used_go_when_it_becomes_full(tmp_path: Path) -> None:
    models = ModelCache(str(tmp_path / "a" / "models"), limit=250)
    paths = [upload(models, bytes([n]) * 100) for n in range(2)]
    for age, path in enumerate(paths):
        os.utime(path, (1000 + age, 1000 + age))
    assert models.status(digest(bytes([0]) * 100), 100)["present"] is True  # used just now
    newest = upload(models, b"z" * 100)
    assert paths[0].exists()
    assert not paths[1].exists()
    assert newest.exists()


def test_a_disk_that_is_full_is_told_and_nothing_is_removed_for_nothing(
    models: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = upload(models, b"old" * 100)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=1, f_frsize=4096))
    with pytest.raises(Failure) as failure:
        models.status("a" * 64, 10_000_000)
    assert failure.value.code == protocol.NO_SPACE
    assert "10.0 MB" in failure.value.message
    assert failure.value.hint
    assert os.listdir(models.folder) == [kept.name]
    models.status("a" * 64, 4200)  # the old model makes room for this one
    assert not kept.exists()


def test_uploads_that_nobody_finished_go_after_a_day(models: ModelCache) -> None:
    stale, future, fresh = (Path(models.status("a" * 64, 1)["upload"]) for _ in range(3))
    os.utime(stale, (1, 1))
    os.utime(future, (2**33, 2**33))
    models.status("b" * 64, 1)
    assert (stale.exists(), future.exists(), fresh.exists()) == (False, False, True)


def test_folders_that_were_open_are_closed(models: ModelCache) -> None:
    Path(models.folder).mkdir(parents=True)
    Path(models.folder).chmod(0o777)
    models.status("a" * 64, 1)
    assert mode(models.folder) == 0o700


def test_a_file_in_the_place_of_the_folder(models: ModelCache) -> None:
    Path(models.folder).parent.mkdir(parents=True)
    Path(models.folder).write_text("here")
    for _ in range(2):
        with pytest.raises(Failure) as failure:
            models.status("a" * 64, 1)
        assert failure.value.code == protocol.IO_FAILED
        Path(models.folder).unlink()
        Path(models.folder).symlink_to("/tmp")


def test_the_small_hash_is_the_hash() -> None:
    assert cache.own_hash(b"agent") == digest(b"agent")


def test_over_the_wire_it_is_verified_and_what_was_not_begun_is_removed(private_home: Path) -> None:
    data = b"model" * 100_000
    folder = private_home / ".cache" / "arenascope" / "models"
    with Agent() as agent:
        answer = agent.answer("file_status", sha256=digest(data), bytes=len(data))["result"]
        Path(answer["upload"]).write_bytes(data)
        unused = agent.answer("file_status", sha256="b" * 64, bytes=10)["result"]["upload"]
        assert Path(unused).exists()
        adopted = agent.answer("file_adopt", sha256=digest(data), upload=answer["upload"])["result"]
        assert adopted == {"path": str(folder / digest(data))}
        assert agent.answer("file_status", sha256=digest(data), bytes=len(data))["result"]["present"]
        missing = agent.answer("file_adopt", sha256=digest(data), upload=answer["upload"])
        assert missing["code"] == protocol.NOT_FOUND
        too_much = agent.answer("file_status", sha256="c" * 64, bytes=2**40)
        assert too_much["code"] == protocol.NO_SPACE
        agent.answer("shutdown")
        agent.process.wait(PATIENCE)
    assert os.listdir(folder) == [digest(data)]


def test_a_cache_that_cannot_be_written(private_home: Path) -> None:
    (private_home / ".cache").write_text("a file")
    with Agent() as agent:
        error = agent.answer("file_status", sha256="a" * 64, bytes=1)
        assert error["code"] == protocol.IO_FAILED
        assert ".cache" in error["message"]


# -- uploads that broke off ---------------------------------------------------------------------------


def part(models: ModelCache, data: bytes, whole: bytes) -> Path:
    """What an upload of ``whole`` left when it broke off after ``data``."""
    place = Path(models.status(digest(whole), len(whole))["upload"])
    place.write_bytes(data)
    return place


def test_an_upload_goes_on_where_it_broke_off(models: ModelCache) -> None:
    data = os.urandom(50_000)
    old = part(models, data[:20_000], data)
    answer = models.status(digest(data), len(data))
    assert (answer["present"], answer["have"]) == (False, 20_000)
    assert answer["have_sha256"] == digest(data[:20_000])
    assert answer["upload"] != str(old)
    assert not old.exists()
    with open(answer["upload"], "ab") as file:
        file.write(data[20_000:])
    assert Path(models.adopt(digest(data), answer["upload"])["path"]).read_bytes() == data
    assert os.listdir(models.folder) == [digest(data)]


def test_the_longest_part_is_taken_and_the_others_go(models: ModelCache) -> None:
    data = b"0123456789"
    parts = [part(models, b"", data) for _ in range(4)]
    for place, length in zip(parts, (3, 7, 5, 11), strict=True):  # the last can be no part of it
        place.write_bytes((data + b"!")[:length])
    other = part(models, b"abc", b"abcdef")
    answer = models.status(digest(data), len(data))
    assert answer["have"] == 7
    assert sorted(os.listdir(models.folder)) == sorted([other.name, Path(answer["upload"]).name])


@contextlib.contextmanager
def writer(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has a part open for writing, as the shell behind an upload."""
    process = subprocess.Popen(
        ["sh", "-c", 'exec >>"$1"; echo open >&2; exec cat', "sh", str(place)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None and process.stderr.readline() == b"open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_an_upload_that_goes_on_is_left_alone(models: ModelCache) -> None:
    data = b"0123456789"
    place = part(models, data[:4], data)
    with writer(place) as process:
        second = models.status(digest(data), len(data))
        assert second["have"] == 0
        assert process.poll() is None
        process.communicate(data[4:])
    assert models.adopt(digest(data), str(place))["path"] == second["path"]
    Path(second["upload"]).write_bytes(data)
    models.adopt(digest(data), second["upload"])
    assert os.listdir(models.folder) == [digest(data)]


def test_a_writer_whose_client_is_long_gone_is_ended(models: ModelCache) -> None:
    data = b"0123456789"
    place = part(models, data[:4], data)
    with writer(place) as process:
        os.utime(place, (time.time() - 60, time.time() - 60))
        assert models.status(digest(data), len(data))["have"] == 4
        assert process.wait(PATIENCE) == -signal.SIGKILL


def test_a_writer_whose_client_knows_that_it_broke_off_is_ended(models: ModelCache) -> None:
    data = b"0123456789"
    place = part(models, data[:4], data)
    with writer(place) as process:
        assert models.status(digest(data), len(data), str(place))["have"] == 4
        assert process.wait(PATIENCE) == -signal.SIGKILL


def test_who_only_reads_a_part_is_never_ended(models: ModelCache) -> None:
    data = b"0123456789"
    place = part(models, data[:4], data)
    os.utime(place, (time.time() - 60, time.time() - 60))
    with place.open("rb"):
        assert models.status(digest(data), len(data))["have"] == 0
    assert place.exists()


def test_parts_go_first_when_room_is_short(models: ModelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = upload(models, b"old" * 100)
    broken = part(models, b"half", b"halfway")
    own = part(models, b"own", b"own model")
    free = [1, 4]  # blocks: before the part is gone, and then
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=free.pop(0), f_frsize=4096))
    answer = models.status(digest(b"own model"), 8192)
    assert (answer["have"], own.exists(), broken.exists(), kept.exists()) == (3, False, False, True)


def test_a_part_goes_when_the_rest_of_it_has_no_room(
    models: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    part(models, b"half", b"halfway")
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=0, f_frsize=4096))
    with pytest.raises(Failure) as failure:
        models.status(digest(b"halfway"), 7)
    assert failure.value.code == protocol.NO_SPACE
    assert os.listdir(models.folder) == []


def test_an_upload_that_is_not_wanted_any_more_is_dropped(models: ModelCache) -> None:
    place = part(models, b"half", b"halfway")
    assert models.drop(digest(b"halfway"), str(place)) == {}
    assert models.drop(digest(b"halfway"), str(place)) == {}  # what is gone is gone
    assert not place.exists()
    with pytest.raises(Failure) as failure:
        models.drop("a" * 64, "/etc/passwd")
    assert failure.value.code == protocol.INVALID


def test_what_was_begun_outlives_the_agent_and_what_was_not_does_not(private_home: Path) -> None:
    folder = private_home / ".cache" / "arenascope" / "models"
    with Agent() as agent:
        begun, _unused, dropped = (
            agent.answer("file_status", sha256=letter * 64, bytes=10)["result"]["upload"] for letter in "abc"
        )
        Path(begun).write_bytes(b"half")
        Path(dropped).write_bytes(b"half")
        agent.answer("file_drop", sha256="c" * 64, upload=dropped)
        agent.answer("shutdown")
        agent.process.wait(PATIENCE)
    assert os.listdir(folder) == [Path(begun).name]
    with Agent() as agent:
        answer = agent.answer("file_status", sha256="a" * 64, bytes=10)["result"]
        assert (answer["have"], answer["have_sha256"]) == (4, digest(b"half"))


@pytest.mark.parametrize("name", ["arenascope", "arenascope/models"])
def test_nothing_is_made_behind_a_link(name: str, private_home: Path, tmp_path: Path) -> None:
    link = private_home / ".cache" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path)
    with Agent() as agent:
        for _ in range(2):
            answer = agent.answer("file_status", sha256="a" * 64, bytes=1)
            assert (answer["code"], "not a folder of this user" in answer["message"]) == (
                protocol.IO_FAILED,
                True,
            )
    assert list(tmp_path.iterdir()) == []
