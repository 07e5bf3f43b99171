"""Known hosts: what a presented key means. The files are made by ssh-keygen where it can make them."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from arenascope.errors import StoreError
from arenascope.remote.hostkeys import Verdict, fingerprint, judge, known_keys, remember
from tests.support.sshd import make_key, mode


def _public(path: Path) -> tuple[str, bytes]:
    kind, blob, *_ = path.with_name(path.name + ".pub").read_text().split()
    return kind, base64.b64decode(blob)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[tuple[str, bytes], tuple[str, bytes], tuple[str, bytes]]:
    """Two ed25519 keys and one of ECDSA."""
    for name, kind in (("a", "ed25519"), ("b", "ed25519"), ("c", "ecdsa")):
        make_key(tmp_path / name, kind)
    return _public(tmp_path / "a"), _public(tmp_path / "b"), _public(tmp_path / "c")


Keys = tuple[tuple[str, bytes], tuple[str, bytes], tuple[str, bytes]]


def _line(name: str, key: tuple[str, bytes]) -> str:
    return f"{name} {key[0]} {base64.b64encode(key[1]).decode()} a comment\n"


def _verdict(path: Path, name: str, key: tuple[str, bytes]) -> Verdict:
    return judge(known_keys(name, [path]), key[1])[0]


def test_the_fingerprint_is_that_of_openssh(tmp_path: Path, keys: Keys) -> None:
    shown = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "a.pub"], capture_output=True, text=True, check=True
    )
    assert fingerprint(keys[0][1]) == shown.stdout.split()[1]


def test_verdicts(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("# a comment\n\n" + _line("board,10.0.0.7", keys[0]))
    assert _verdict(path, "board", keys[0]) is Verdict.KNOWN
    assert _verdict(path, "10.0.0.7", keys[0]) is Verdict.KNOWN
    assert _verdict(path, "board", keys[1]) is Verdict.CHANGED
    assert _verdict(path, "board", keys[2]) is Verdict.CHANGED
    assert _verdict(path, "[board]:2200", keys[0]) is Verdict.UNKNOWN
    assert _verdict(path, "boar", keys[0]) is Verdict.UNKNOWN
    assert _verdict(tmp_path / "absent", "board", keys[0]) is Verdict.UNKNOWN
    assert _verdict(tmp_path, "board", keys[0]) is Verdict.UNKNOWN


def test_the_line_that_says_so_is_told(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("\n" + _line("board", keys[0]))
    verdict, line = judge(known_keys("board", [tmp_path / "absent", path]), keys[1][1])
    assert verdict is Verdict.CHANGED
    assert line is not None and (line.path, line.line, line.blob) == (path, 2, keys[0][1])


def test_several_keys_of_one_host(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_line("board", keys[0]) + _line("board", keys[1]))
    assert _verdict(path, "board", keys[0]) is _verdict(path, "board", keys[1]) is Verdict.KNOWN


@pytest.mark.parametrize("name", ["board", "[127.0.0.1]:2200"])
def test_hashed_names(tmp_path: Path, keys: Keys, name: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_line(name, keys[0]))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", path], capture_output=True, check=True)
    assert path.read_text().startswith("|1|")
    assert _verdict(path, name, keys[0]) is Verdict.KNOWN
    assert _verdict(path, name, keys[1]) is Verdict.CHANGED
    assert _verdict(path, "other", keys[0]) is Verdict.UNKNOWN


def test_patterns(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_line("*.lab,!evil.lab,[10.0.0.?]:2200", keys[0]))
    assert _verdict(path, "pi.lab", keys[0]) is Verdict.KNOWN
    assert _verdict(path, "evil.lab", keys[0]) is Verdict.UNKNOWN
    assert _verdict(path, "[10.0.0.7]:2200", keys[0]) is Verdict.KNOWN
    assert _verdict(path, "1.0.0.7", keys[0]) is Verdict.UNKNOWN


def test_a_revoked_key_is_never_known(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_line("board", keys[0]) + "@revoked " + _line("*", keys[0]))
    assert _verdict(path, "board", keys[0]) is Verdict.REVOKED
    assert _verdict(path, "board", keys[1]) is Verdict.CHANGED
    assert _verdict(path, "other", keys[1]) is Verdict.UNKNOWN


def test_a_certificate_authority_is_no_host_key(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("@cert-authority " + _line("*", keys[0]))
    assert _verdict(path, "board", keys[0]) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "line",
    [
        "board",
        "board ssh-ed25519",
        "board ssh-ed25519 %%%",
        "|1|x|y ssh-ed25519 AAAA",
        "|1|x ssh-ed25519 AAAA",
        "@revoked",
        "@revoked board",
        "\udcff board",
    ],
)
def test_damaged_lines_are_passed_over(tmp_path: Path, keys: Keys, line: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes((line + "\n" + _line("board", keys[0])).encode("utf-8", "surrogateescape"))
    assert _verdict(path, "board", keys[0]) is Verdict.KNOWN


def test_remembering(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "deep" / "known_hosts"
    remember(path, "[board]:2200", *keys[0])
    remember(path, "other", *keys[2])
    assert mode(path) == 0o600 and mode(path.parent) == 0o700
    assert _verdict(path, "[board]:2200", keys[0]) is Verdict.KNOWN
    assert _verdict(path, "other", keys[2]) is Verdict.KNOWN
    found = subprocess.run(["ssh-keygen", "-F", "[board]:2200", "-f", path], capture_output=True, text=True)
    assert found.returncode == 0  # OpenSSH reads what we write


def test_remembering_after_a_last_line_without_its_end(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_line("board", keys[0]).rstrip("\n"))
    remember(path, "other", *keys[2])
    assert _verdict(path, "board", keys[0]) is Verdict.KNOWN
    assert _verdict(path, "other", keys[2]) is Verdict.KNOWN
    assert path.read_text().count("\n") == 2


def test_what_cannot_be_remembered(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be saved"):
        remember(tmp_path / "file" / "known_hosts", "board", *keys[0])
