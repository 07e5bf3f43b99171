"""Packages of a board's own distribution: where from, verified how, and what is said when it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain.board import Board
from arenascope.domain.provision import Recipe, choose
from arenascope.errors import BoardError, Cancelled, SetupError, WireError
from arenascope.remote import debian
from arenascope.remote.fetching import Kept, get
from tests.support import packages
from tests.support.packages import Mirror, listed

BOOKWORM = Board(
    "pi", machine="armv7l", bits=32, python="3.11.2", multiarch="arm-linux-gnueabihf", libc="glibc 2.36"
)
DATA = {name: packages.deb({f"usr/lib/{name}": name.encode()}) for name in ("python3-numpy", "libblas3")}
VERSION = "1:1.24.2-1+deb12u1"


def _list(version: str = VERSION, depends: str = "libblas3, libc6 (>= 2.34)") -> str:
    numpy = listed("python3-numpy", version, DATA["python3-numpy"], depends)
    return listed("aaa", "1", b"x") + numpy + listed("libblas3", "3.11", DATA["libblas3"])


class Pi:
    """Answers as an agent would, for the releases that its mirror published."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.sources = f"deb {mirror.uri} bookworm main\n"
        self.releases: dict[str, dict[str, Any] | Exception] = {}
        self.installed = {"libc6": "2.36-9"}
        self.architecture: str | None = "armhf"
        self.signed_by: list[list[str]] = []

    def __call__(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "apt_sources":
            return {"files": {"/etc/apt/sources.list": self.sources}}
        if method == "apt_installed":
            there = {one: self.installed[one] for one in params["names"] if one in self.installed}
            return {"architecture": self.architecture, "packages": there}
        assert method == "apt_verify"
        self.signed_by.append(params["signed_by"])
        answer = self.releases[params["release"].partition("\n")[2]]
        if isinstance(answer, Exception):
            raise answer
        assert set(answer["files"]) <= set(params["wanted"])
        return answer


@pytest.fixture
def pi(tmp_path: Path) -> Iterator[Pi]:
    with packages.mirror(tmp_path / "mirror") as mirror:
        for name, data in DATA.items():
            mirror.put(f"pool/{name}.deb", data)
        made = Pi(mirror)
        made.releases["bookworm"] = mirror.release("bookworm", _list())
        yield made


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept")


def recipe() -> Recipe:
    chosen = choose(BOOKWORM)
    assert isinstance(chosen, Recipe)
    return chosen


def found(pi: Pi, kept: Kept, arrived: Callable[[int], None] = lambda count: None) -> list[debian.Found]:
    return list(debian.numpy_packages(pi, recipe(), kept, "pi", arrived))


@pytest.mark.parametrize(("form", "by_hash"), [("xz", False), ("xz", True), ("gz", False)])
def test_numpy_and_what_the_board_lacks_for_it(pi: Pi, kept: Kept, form: str, by_hash: bool) -> None:
    pi.releases["bookworm"] = pi.mirror.release("bookworm", _list(), form, by_hash)
    counted: list[int] = []
    both = found(pi, kept, counted.append)
    assert [(one.package.name, one.package.version) for one in both] == [
        ("python3-numpy", VERSION), ("libblas3", "3.11"),
    ]  # fmt: skip
    assert sum(counted) > 0
    for one in both:
        assert debian.fetch(one, kept, counted.append) == DATA[one.package.name]
    before = len(pi.mirror.asked)
    for one in found(pi, kept):
        debian.fetch(one, kept, counted.append)
    assert pi.mirror.asked[before:] == ["/debian/dists/bookworm/InRelease"]  # the rest is kept by its hash


def test_what_the_board_has_is_not_brought(pi: Pi, kept: Kept) -> None:
    pi.installed["libblas3"] = "3.11"
    assert [one.package.name for one in found(pi, kept)] == ["python3-numpy"]


def test_a_source_that_is_away_is_passed_over(pi: Pi, kept: Kept) -> None:
    pi.sources = f"deb {pi.mirror.uri} gone main\ndeb [signed-by=/k.gpg] {pi.mirror.uri} bookworm main\n"
    assert len(found(pi, kept)) == 2
    assert pi.signed_by == [["/k.gpg"]]


def test_the_first_source_that_has_it_counts(pi: Pi, kept: Kept) -> None:
    pi.sources = f"deb {pi.mirror.uri} extra main\n" + pi.sources
    pi.releases["extra"] = pi.mirror.release("extra", listed("libblas3", "9", DATA["libblas3"]))
    both = {one.package.name: one for one in found(pi, kept)}
    assert both["python3-numpy"].source.suite == "bookworm"
    assert both["libblas3"].source.suite == "extra"


def test_a_list_that_is_not_the_signed_one_is_refused(pi: Pi, kept: Kept) -> None:
    pi.mirror.release("bookworm", _list() + "\n")
    with pytest.raises(SetupError, match="is not the one that the release names") as caught:
        found(pi, kept)
    assert "again in some minutes" in caught.value.hint


def test_a_signature_that_the_board_does_not_trust_is_its_own_word(pi: Pi, kept: Kept) -> None:
    pi.releases["bookworm"] = BoardError("The signature is not trusted.", board_code="hash_mismatch")
    with pytest.raises(BoardError, match="not trusted"):
        found(pi, kept)


def test_a_release_that_has_expired_is_refused(pi: Pi, kept: Kept) -> None:
    answer = pi.mirror.release("bookworm", _list())
    answer["fields"]["Valid-Until"] = "Sat, 01 Jan 2022 00:00:00 UTC"
    pi.releases["bookworm"] = answer
    with pytest.raises(SetupError, match="was good until Sat, 01 Jan 2022"):
        found(pi, kept)


def test_a_package_that_is_not_the_signed_one_is_refused(pi: Pi, kept: Kept) -> None:
    (numpy, _) = found(pi, kept)
    pi.mirror.put("pool/python3-numpy.deb", DATA["python3-numpy"][:-1] + b"x")
    with pytest.raises(SetupError, match="arrived damaged"):
        debian.fetch(numpy, kept, lambda count: None)
    (pi.mirror.root / "debian/pool/python3-numpy.deb").unlink()
    with pytest.raises(SetupError, match="no longer has python3-numpy"):
        debian.fetch(numpy, kept, lambda count: None)


def test_a_package_that_is_said_to_be_larger_than_any_is_not_fetched(pi: Pi, kept: Kept) -> None:
    (numpy, _) = found(pi, kept)
    huge = replace(numpy, package=replace(numpy.package, bytes=10**12))
    with pytest.raises(SetupError, match="more than any that is needed"):
        debian.fetch(huge, kept, lambda count: None)


@pytest.mark.parametrize(
    ("version", "why"),
    [("1:1.19.5-1", "have NumPy 1.19.5; tflite-runtime 2.14.0 needs at least 1.23.2 and before 2"),
     ("1:2.2.4+ds-1", "have NumPy 2.2.4")],
)  # fmt: skip
def test_a_numpy_that_does_not_fit_is_told(pi: Pi, kept: Kept, version: str, why: str) -> None:
    pi.releases["bookworm"] = pi.mirror.release("bookworm", _list(version))
    with pytest.raises(SetupError, match=why):
        found(pi, kept)


def test_an_archive_without_numpy_and_one_of_another_system_are_told(pi: Pi, kept: Kept) -> None:
    pi.releases["bookworm"] = pi.mirror.release("bookworm", listed("aaa", "1", b"x"))
    with pytest.raises(SetupError, match="have no python3-numpy") as caught:
        found(pi, kept)
    assert "sudo apt install python3-numpy" in caught.value.hint
    pi.releases["bookworm"] = pi.mirror.release("bookworm", _list(depends="libc6 (>= 2.41)"))
    with pytest.raises(SetupError, match=r"needs libc6 \(>= 2\.41\)") as caught:
        found(pi, kept)
    assert "sudo apt update" in caught.value.hint


def test_a_board_that_names_no_archive_is_told(pi: Pi, kept: Kept) -> None:
    for text in ("", "deb cdrom:[x]/ bookworm main\n", "deb [arch=arm64] http://one.example a main\n"):
        pi.sources = text
        with pytest.raises(SetupError, match="names no package archive"):
            found(pi, kept)
    pi.architecture = None
    with pytest.raises(SetupError, match="does not say for which machine"):
        found(pi, kept)


def test_answers_of_another_form_are_no_answers(pi: Pi, kept: Kept) -> None:
    answers: list[tuple[str, dict[str, Any]]] = [
        ("apt_sources", {}), ("apt_sources", {"files": {"a": 1}}), ("apt_verify", {}),
        ("apt_verify", {"files": [], "fields": {}}),
    ]  # fmt: skip
    for method, answer in answers:

        def ask(name: str, params: dict[str, Any], wrong: str = method, by: Any = answer) -> dict[str, Any]:
            return by if name == wrong else pi(name, params)

        with pytest.raises(WireError):
            debian.numpy_packages(ask, recipe(), kept, "pi", lambda count: None)


def test_a_mirror_that_is_away_is_told_with_the_address(pi: Pi, kept: Kept, closed_port: int) -> None:
    pi.sources = f"deb http://127.0.0.1:{closed_port}/debian bookworm main\n"
    with pytest.raises(SetupError, match=f"127.0.0.1:{closed_port}.* cannot be fetched: .*refused") as caught:
        found(pi, kept)
    assert "network" in caught.value.hint


def test_what_is_longer_than_announced_is_not_read_to_its_end(pi: Pi) -> None:
    pi.mirror.put("large", b"x" * 2_000_000)
    with pytest.raises(SetupError, match="more than the 1000 bytes"):
        get(f"{pi.mirror.uri}/large", 1000)
    with pytest.raises(SetupError, match="not an address"):
        get("file:///etc/passwd", 1000)


def test_it_can_be_stopped_while_a_list_arrives(pi: Pi, kept: Kept, tmp_path: Path) -> None:
    def stop(count: int) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        found(pi, kept, stop)
    assert not (tmp_path / "kept").exists()


def test_what_is_no_release_is_not_shown_to_the_board(pi: Pi, kept: Kept) -> None:
    """A board could name any place that this computer reaches."""
    pi.mirror.put("dists/bookworm/InRelease", b"the page of a router")
    with pytest.raises(SetupError, match="is no signed release"):
        found(pi, kept)
    assert pi.signed_by == []


@pytest.mark.parametrize("uri", ["http://10.0.0.1/admin?x=", "http://a@10.0.0.1/", "http://10.0.0.1/#"])
def test_addresses_of_something_else_are_not_asked(pi: Pi, kept: Kept, uri: str) -> None:
    pi.sources = f"deb {uri} bookworm main\n"
    with pytest.raises(SetupError, match="names no package archive"):
        found(pi, kept)
