"""What a board answers while it is set up names files and addresses; none of them reaches further than meant."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain import apt
from arenascope.errors import ArenaScopeError, SetupError
from arenascope.remote import debian, fetching
from arenascope.remote.fetching import Kept
from tests.support.frames import any_value

LIST = "deb http://archive.example/debian bookworm main\n"
STEM = "main/binary-armhf/Packages"
ABSENT = "0" * 64


class Board:
    """Answers of the agent; ``files`` are the hashes that it says to be signed."""

    def __init__(self, files: Any, **changes: Any) -> None:
        self.answers: dict[str, dict[str, Any]] = {
            "apt_installed": {"architecture": "armhf", "packages": {}},
            "apt_sources": {"files": {"/etc/apt/sources.list": LIST}},
            "apt_verify": {"files": files, "fields": {}},
        }
        for place, value in changes.items():
            method, _, key = place.rpartition("__")
            self.answers[method][key] = value

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return self.answers[method]


class Recipe:
    """The part of a recipe that is asked for."""


def packages(board: Board, kept: Kept) -> Any:
    return debian.numpy_packages(board.ask, Recipe(), kept, "pi", lambda count: None)  # type: ignore[arg-type]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No network: a release looks signed, and any other file is the same few bytes. The addresses that
    were asked for."""
    asked: list[str] = []

    def get(url: str, limit: int, arrived: Any = None) -> bytes:
        asked.append(url)
        return b"-----BEGIN PGP SIGNED MESSAGE-----" if url.endswith("InRelease") else b"no list"

    monkeypatch.setattr(fetching, "get", get)
    return asked


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("mine")
    return path


@pytest.mark.parametrize("shape", ["{}", "../victim", "x/../../victim", "./../victim", "{}\0", ""])
def test_a_hash_that_is_a_path_touches_no_file(shape: str, victim: Path, archive: list[str]) -> None:
    kept = Kept(victim.parent / "packages")
    kept.put(b"something")
    named = shape.format(victim)
    with pytest.raises(SetupError, match="no usable hash"):
        packages(Board({STEM + ".xz": [named, 5]}), kept)
    assert kept.path(named) is None
    assert victim.read_text() == "mine"
    assert archive == ["http://archive.example/debian/dists/bookworm/InRelease"]


@pytest.mark.parametrize("url", [
    "http://[", "http://archive.example:port/x", "http://archive.example/a b", "http://\xe4.example/", "file:///etc/passwd",
    "http://archive.example/\x1b[31m", "http://archive.example/\u202e", "http:///x", "gopher://x", "",
])  # fmt: skip
def test_an_address_that_is_none_is_told_in_plain_words(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        fetching.get(url, 10)
    assert caught.value.message.isprintable()


def test_sources_and_packages_that_cannot_be_printed_are_left_out() -> None:
    lines = [
        LIST,
        *(f"deb http://a.example/{odd} bookworm main" for odd in ("\x1b[2J", "\u202e", "\xe4", "\x07")),
    ]
    found = apt.sources({"/etc/apt/sources.list": "\n".join(lines)}, "armhf")
    assert [source.uri for source in found] == ["http://archive.example/debian"]
    entry = f"Package: numpy\nVersion: 1\nFilename: {{}}\nSize: 5\nSHA256: {ABSENT}\n"
    assert apt.package(entry.format("pool/numpy.deb")).path == "pool/numpy.deb"
    with pytest.raises(ValueError, match="printed"):
        apt.package(entry.format("pool/\x1b[2J"))


@pytest.mark.parametrize("until", ["Mon, 99999999999999999999 Jan 2020 00:00:00 UTC", "Sat, 1 Jan 99999999999999999999 0:0 +0000",
                                   "1 Jan 2020 00:00:00 +99999999999999999999", "x" * 100_000, 5, [], {}])  # fmt: skip
def test_a_date_that_is_none_is_no_reason_to_fail_otherwise(
    until: Any, archive: list[str], tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match="not the one that the release names|was good until"):
        packages(
            Board({STEM + ".xz": [ABSENT, 7]}, apt_verify__fields={"Valid-Until": until}), Kept(tmp_path)
        )


PLACES = ("apt_installed__architecture", "apt_installed__packages", "apt_sources__files", "apt_verify__files",
          "apt_verify__fields")  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_whatever_it_answers_only_our_errors_come_out(place: str, archive: list[str], victim: Path) -> None:
    before = victim.parent
    for number in range(300):
        rng = random.Random(f"{place} {number}")
        value = any_value(rng)
        if rng.random() < 0.5 and place.endswith("s"):
            key = rng.choice(
                (
                    "/etc/apt/sources.list",
                    "/x.sources",
                    STEM + ".xz",
                    "Valid-Until",
                    "libc6",
                    str(any_value(rng))[:50],
                )
            )
            value = {
                key: any_value(rng)
                if rng.random() < 0.5
                else rng.choice(([ABSENT, 5], ["../victim", 5], LIST, "1 Jan 2020"))
            }
        board = Board({STEM + ".xz": [ABSENT, 7]}, **{place: value})
        with pytest.raises(ArenaScopeError) as caught:
            packages(board, Kept(before / "packages"))
        assert caught.value.message.isprintable(), (place, number)
    assert victim.read_text() == "mine"
