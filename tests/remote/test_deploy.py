"""The command that places and starts an agent, in the login shells of boards, and what its marks mean."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope.errors import ArenaScopeError, BoardError, DeployError, LinkLost
from arenascope.remote import deploy
from tests.support.sshd import bare_path, mode, tiny_disk

#: Stands in for the archive: says who it is and leaves with its stdin.
AGENT = b"import sys\nprint('agent', sys.argv[1:], sys.flags.isolated, flush=True)\nsys.stdin.read()\n"
SHA256 = hashlib.sha256(AGENT).hexdigest()


class Shell:
    """A login shell of this computer, as the channel that SSH would open to it."""

    def __init__(self, command: str, home: Path, shell: tuple[str, ...], path: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        self.process = subprocess.Popen(
            [*shell, command],
            env={"HOME": str(home), "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise LinkLost("closed") from error

    def recv(self, limit: int) -> bytes:
        assert self.process.stdout is not None
        return os.read(self.process.stdout.fileno(), limit)

    def end_of_input(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def stderr_tail(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode()

    def close(self) -> None:
        self.end_of_input()
        self.process.wait()
        self._errors.close()
        assert self.process.stdout is not None
        self.process.stdout.close()


SESSION = "5" * 32
PATH = "/usr/local/bin:/usr/bin:/bin"
SH = ("/bin/sh", "-c")


@contextlib.contextmanager
def _shell(home: Path, command: str, shell: tuple[str, ...] = SH, path: str = PATH) -> Iterator[Shell]:
    opened = Shell(command, home, shell, path)
    try:
        yield opened
    finally:
        opened.close()


def _start(home: Path, shell: tuple[str, ...] = SH, path: str = PATH, prefix: str = "") -> deploy.Started:
    with _shell(
        home, prefix + deploy.agent_command(SHA256, len(AGENT), SESSION, None), shell, path
    ) as channel:
        started = deploy.start_agent(channel, AGENT, "board")
        said = started.ahead or channel.recv(1000)
        assert said == f"agent ['attach', '{SESSION}', 'new'] 1\n".encode()
        assert started.pid == channel.process.pid  # every shell on the way became the next
    return started


def _cached(home: Path) -> Path:
    return home / ".cache" / "arenascope" / "agent" / f"{SHA256}.pyz"


LOGIN_SHELLS = """sh -c; bash -c; bash -e -c; bash -u -c; bash -x -c; bash -v -c; dash -c; zsh -c;
fish -c; tcsh -c; csh -c; busybox sh -c"""


@pytest.mark.parametrize("shell", [shell.strip() for shell in LOGIN_SHELLS.split(";")])
def test_login_shells(tmp_path: Path, shell: str) -> None:
    words = tuple(shell.split())
    if shutil.which(words[0]) is None:
        pytest.skip(f"the shell {words[0]} is not here")
    assert _start(tmp_path, words).uploaded
    assert not _start(tmp_path, words).uploaded


def test_a_shell_of_the_board_that_is_not_ours(tmp_path: Path) -> None:
    """/bin/sh itself is dash here and busybox or bash elsewhere."""
    for shell in ("bash", "busybox sh", "dash"):
        if shutil.which(shell.split()[0]):
            command = deploy.agent_command(SHA256, len(AGENT), SESSION, None).replace("/bin/sh", shell)
            with _shell(tmp_path, command) as channel:
                deploy.start_agent(channel, AGENT, "board")


def test_no_shell_can_misread_the_command() -> None:
    commands = [deploy.agent_command(SHA256, 1, SESSION, None), deploy.receive_command(1)]
    for command in (*commands, deploy.clean_command(remove=True), deploy.clean_command(remove=False)):
        before, script, after = command.split("'")
        assert before == "exec /bin/sh -c " and after == ""
        assert not set(script) & set("'\\!\n\t")
        assert len(command) < 4096
        assert deploy.MARK.decode() not in command


def test_modes_and_leftovers(tmp_path: Path) -> None:
    _start(tmp_path)
    assert [f.name for f in _cached(tmp_path).parent.iterdir()] == [f"{SHA256}.pyz"]
    assert _cached(tmp_path).read_bytes() == AGENT
    assert mode(_cached(tmp_path)) == 0o600
    assert mode(_cached(tmp_path).parent) == 0o700


def test_what_a_power_cut_left_is_removed_by_the_next_upload(tmp_path: Path) -> None:
    _cached(tmp_path).parent.mkdir(parents=True)
    old, new = (_cached(tmp_path).with_suffix(f".pyz.{pid}.part") for pid in (1, 2))
    old.touch()
    os.utime(old, (1_000_000_000, 1_000_000_000))
    new.touch()  # another client may be writing it
    _start(tmp_path)
    assert not old.exists() and new.exists()


@pytest.mark.parametrize(
    "command", [deploy.receive_command(5), deploy.agent_command(SHA256, 5, SESSION, None)]
)
def test_what_the_login_environment_exports_is_not_removed(tmp_path: Path, command: str) -> None:
    mine = tmp_path / "mine"
    mine.touch()
    names = ["t", "d", "f", "e", "p", "c", "v", "py", "tried"]
    exported = "".join(f"export {name}='{mine}'; " for name in names)
    with _shell(tmp_path, exported + command) as channel:
        channel.end_of_input()
        while channel.recv(1000):
            pass
        channel.process.wait()
    assert mine.exists()


@pytest.mark.parametrize(("pid", "read"), [("12", 12), ("²", 0), ("9" * 3000, 0), ("-1", 0), ("x", 0)])
def test_a_process_number_that_is_none(pid: str, read: int) -> None:
    class Channel:
        def send(self, data: bytes) -> None: ...

        def recv(self, limit: int) -> bytes:
            return f"@arenascope:start {pid} python3\n".encode()

        def stderr_tail(self) -> str:
            return ""

    assert deploy.start_agent(Channel(), AGENT, "board").pid == read


def test_the_cache_directory_of_the_board_is_used(tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    _start(tmp_path, prefix=f"export XDG_CACHE_HOME='{elsewhere}'; ")
    assert (elsewhere / "arenascope" / "agent" / f"{SHA256}.pyz").exists()
    assert not (tmp_path / ".cache").exists()


@pytest.mark.parametrize("content", [b"", AGENT[:-1], AGENT + b"x", b"print('evil')\n"])
def test_an_archive_that_is_not_what_it_should_be_is_replaced(tmp_path: Path, content: bytes) -> None:
    _cached(tmp_path).parent.mkdir(parents=True)
    _cached(tmp_path).write_bytes(content)
    assert _start(tmp_path).uploaded
    assert _cached(tmp_path).read_bytes() == AGENT


def test_without_sha256sum_python_does_it(tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin")
    (tmp_path / "bin" / "sha256sum").unlink()
    (tmp_path / "bin" / "python3").symlink_to(shutil.which("python3", path=PATH) or "/usr/bin/python3")
    assert _start(tmp_path, path=path).uploaded
    assert not _start(tmp_path, path=path).uploaded


def test_banners_before_the_mark(tmp_path: Path) -> None:
    _start(tmp_path, prefix="echo Welcome; printf '@arena \\0\\377 no line end'; ")


def test_a_banner_without_end(tmp_path: Path) -> None:
    with _shell(tmp_path, "yes banner") as channel:
        with pytest.raises(DeployError, match="prints without end"):
            deploy.start_agent(channel, AGENT, "board")
        channel.process.kill()


def _fake_python(folder: Path, name: str, version: str) -> None:
    script = folder / name
    script.write_text(f'#!/bin/sh\necho "{version}"\n')
    script.chmod(0o755)


def test_no_python(tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin")
    with pytest.raises(DeployError) as caught:
        _start(tmp_path, path=path)
    assert caught.value.message == "There is no Python 3.9 or newer on board."
    assert "sudo apt install python3" in caught.value.hint
    assert "python3.9" in caught.value.detail
    assert not (tmp_path / ".cache").exists()


@pytest.mark.parametrize(
    "version", ["Python 3.8.10", "Python 2.7.18", "Python 3.1", "nonsense", "pyenv: no such version"]
)
def test_a_python_that_is_too_old_is_named(tmp_path: Path, version: str) -> None:
    path = bare_path(tmp_path / "bin")
    _fake_python(tmp_path / "bin", "python3", version)
    with pytest.raises(DeployError, match="Found there: python3") as caught:
        _start(tmp_path, path=path)
    assert version in caught.value.message


def test_a_newer_python_beside_an_old_one_is_taken(tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin")
    _fake_python(tmp_path / "bin", "python3", "Python 3.7.3")
    (tmp_path / "bin" / "python3.10").symlink_to(shutil.which("python3", path=PATH) or "/usr/bin/python3")
    assert _start(tmp_path, path=path).python.startswith("python3.10 ")


def test_a_full_disk(tmp_path: Path) -> None:
    big = b"#" * 200_000 + AGENT
    with tiny_disk(tmp_path / ".cache", 64):
        command = deploy.agent_command(hashlib.sha256(big).hexdigest(), len(big), SESSION, None)
        with _shell(tmp_path, command) as channel, pytest.raises(DeployError) as caught:
            deploy.start_agent(channel, big, "board")
        assert caught.value.message.startswith("The disk of board is full")
        assert "No space left on device" in caught.value.detail
        assert [f for f in (tmp_path / ".cache").rglob("*") if f.is_file()] == []


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("a file")
    with pytest.raises(DeployError, match=r"cannot be placed on board: mkdir: .*Not a directory"):
        _start(tmp_path)


def test_login_files_that_eat_the_archive(tmp_path: Path) -> None:
    command = deploy.agent_command(SHA256, len(AGENT), SESSION, None)
    with _shell(tmp_path, command) as channel, pytest.raises(DeployError, match="arrived damaged") as caught:
        deploy.start_agent(channel, AGENT[::-1], "board")
    assert "standard input" in caught.value.hint
    assert list(_cached(tmp_path).parent.iterdir()) == []


def test_a_connection_that_is_cut_while_sending_leaves_nothing(tmp_path: Path) -> None:
    with _shell(tmp_path, deploy.agent_command(SHA256, len(AGENT), SESSION, None)) as channel:
        assert b":need" in channel.recv(1000)
        channel.send(AGENT[:10])
    assert list(_cached(tmp_path).parent.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo 'This account is currently not available.'; exit 1", "ended without starting"),
        ("exit 0", "ended without starting"),
        ("echo no shell for you >&2; exit 1", "ended without starting"),
    ],
)
def test_an_account_that_runs_no_commands(tmp_path: Path, command: str, words: str) -> None:
    with _shell(tmp_path, command) as channel, pytest.raises(DeployError, match=words) as caught:
        deploy.start_agent(channel, AGENT, "board")
    for text in ("not available", "no shell for you"):
        assert (text in caught.value.detail) is (text in command)


def test_a_login_that_waits(tmp_path: Path) -> None:
    class Silent(Shell):
        def recv(self, limit: int) -> bytes:
            raise TimeoutError

    channel = Silent("cat", tmp_path, SH, PATH)
    with pytest.raises(DeployError, match="did not start a command in time"):
        deploy.start_agent(channel, AGENT, "board")
    channel.close()


# -- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["model", "two words", "quote'\"", "back\\slash", "$HOME `id` ;!", "-n", "ü*?"]
)
def test_a_file_arrives_under_any_name(tmp_path: Path, name: str) -> None:
    data = os.urandom(100_000)
    with _shell(tmp_path, deploy.receive_command(len(data))) as channel:
        channel.send(os.fsencode(tmp_path / name) + b"\n" + data)
        channel.end_of_input()
        deploy.finish_receive(channel, "board")
    assert (tmp_path / name).read_bytes() == data
    assert mode(tmp_path / name) == 0o600


def _receive(home: Path, target: Path, sent: bytes, size: int) -> ArenaScopeError:
    with _shell(home, deploy.receive_command(size)) as channel:
        channel.send(os.fsencode(target) + b"\n" + sent)
        channel.end_of_input()
        with pytest.raises(ArenaScopeError) as caught:
            deploy.finish_receive(channel, "board")
        return caught.value


def test_a_file_that_is_cut_is_removed(tmp_path: Path) -> None:
    assert isinstance(_receive(tmp_path, tmp_path / "model", b"half", 8), LinkLost)
    assert not (tmp_path / "model").exists()


def test_a_disk_that_fills(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "small", 64):
        error = _receive(tmp_path, tmp_path / "small" / "model", b"x" * 60_000, 200_000)
        assert isinstance(error, LinkLost)  # cut before the disk was full
        with _shell(tmp_path, deploy.receive_command(200_000)) as channel:
            with contextlib.suppress(LinkLost):
                channel.send(os.fsencode(tmp_path / "small" / "model") + b"\n" + b"x" * 200_000)
            with pytest.raises(BoardError) as caught:
                deploy.finish_receive(channel, "board")
        assert caught.value.board_code == "no_space"
        assert list((tmp_path / "small").iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    error = _receive(tmp_path, tmp_path / "absent" / "model", b"", 8)
    assert isinstance(error, BoardError) and error.board_code == "io_failed"


# -- archives of other versions ---------------------------------------------------------------------


def _other(home: Path, number: int, days: float) -> Path:
    """An archive of another version, placed so many days ago."""
    path = _cached(home).with_name(f"{number:064x}.pyz")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(b"import time\ntime.sleep(600)\n")
    placed = time.time() - days * 86400
    os.utime(path, (placed, placed))
    return path


def test_old_archives_go_when_a_new_one_is_placed(tmp_path: Path) -> None:
    others = [_other(tmp_path, number, days) for number, days in enumerate((0.5, 2, 3, 400))]
    strange = _cached(tmp_path).with_name("mine.txt")
    strange.write_text("not ours")
    _start(tmp_path)
    assert {path.name for path in _cached(tmp_path).parent.iterdir()} == {
        _cached(tmp_path).name, others[0].name, strange.name,
    }  # fmt: skip


def test_the_one_before_stays_however_old_it_is(tmp_path: Path) -> None:
    others = [_other(tmp_path, number, days) for number, days in enumerate((30, 40))]
    _start(tmp_path)
    assert [path.exists() for path in others] == [True, False]


def test_nothing_goes_while_nothing_is_placed(tmp_path: Path) -> None:
    _start(tmp_path)
    others = [_other(tmp_path, number, 9) for number in range(4)]
    assert not _start(tmp_path).uploaded
    assert all(path.exists() for path in others)


def test_an_agent_that_runs_keeps_what_it_runs_from(tmp_path: Path) -> None:
    """Python opens an archive again for each module that is imported late."""
    others = [_other(tmp_path, number, 9 + number) for number in range(3)]
    with subprocess.Popen([sys.executable, str(others[2]), "serve"]) as running:
        try:
            _start(tmp_path)
            assert [path.exists() for path in others] == [True, False, True]
        finally:
            running.kill()


# -- taking everything away --------------------------------------------------------------------------


def _clean(home: Path, *, remove: bool, shell: tuple[str, ...] = SH, prefix: str = "") -> deploy.Kept:
    with _shell(home, prefix + deploy.clean_command(remove=remove), shell) as channel:
        return deploy.finish_clean(channel, "board")


def _tree(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


def _keep(home: Path) -> None:
    """What a board has after some work."""
    ours = home / ".cache" / "arenascope"
    for name in ("models/aa", "env/cpython/site/numpy/a.py", "env/.new-1/x", "agent/run/s.sock"):
        (ours / name).parent.mkdir(parents=True, exist_ok=True)
        (ours / name).write_bytes(b"x" * 5000)


@pytest.mark.parametrize("shell", [shell.strip() for shell in LOGIN_SHELLS.split(";")])
def test_a_board_is_as_it_was(tmp_path: Path, shell: str) -> None:
    words = tuple(shell.split())
    if shutil.which(words[0]) is None:
        pytest.skip(f"the shell {words[0]} is not here")
    assert _clean(tmp_path, remove=False, shell=words) == deploy.Kept(f"{tmp_path}/.cache/arenascope", 0)
    _start(tmp_path, words)
    _keep(tmp_path)
    there = _clean(tmp_path, remove=False, shell=words)
    assert there.bytes >= 20_000
    assert _cached(tmp_path).exists()
    assert _clean(tmp_path, remove=True, shell=words) == there
    assert _tree(tmp_path) == []
    assert _clean(tmp_path, remove=True, shell=words).bytes == 0
    assert _tree(tmp_path) == []


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    _start(tmp_path)
    _keep(tmp_path)
    assert _clean(tmp_path, remove=True).bytes
    assert _tree(tmp_path) == [".cache"]  # it was there, empty, before us
    _start(tmp_path)
    others = [tmp_path / ".cache" / "pip" / "x", tmp_path / ".cache" / "arenascope" / "packages" / "x"]
    for other in others:
        other.parent.mkdir(parents=True)
        other.touch()
    assert _clean(tmp_path, remove=True).bytes
    assert all(other.exists() for other in others)


def test_a_cache_folder_of_ours_that_others_use_stays(tmp_path: Path) -> None:
    _start(tmp_path)
    (tmp_path / ".cache" / "theirs").touch()
    _clean(tmp_path, remove=True)
    assert _tree(tmp_path) == [".cache", ".cache/theirs"]


def test_the_folder_that_the_board_names_is_the_one(tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    prefix = f"XDG_CACHE_HOME='{elsewhere}'; export XDG_CACHE_HOME; "
    _start(tmp_path, prefix=prefix)
    assert _clean(tmp_path, remove=False).bytes == 0
    assert _clean(tmp_path, remove=True, prefix=prefix).folder == f"{elsewhere}/arenascope"
    assert not elsewhere.exists()


def test_a_link_is_taken_away_and_not_what_it_points_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis").write_text("years")
    (tmp_path / ".cache" / "arenascope").mkdir(parents=True)
    (tmp_path / ".cache" / "arenascope" / "models").symlink_to(precious)
    _clean(tmp_path, remove=True)
    assert _tree(tmp_path) == [".cache", "precious", "precious/thesis"]


def test_nothing_goes_while_an_agent_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "_LEAVE_SECONDS", 0)
    path = _other(tmp_path, 1, 0)
    with subprocess.Popen([sys.executable, str(path), "attach"]) as running:
        try:
            with pytest.raises(
                BoardError, match=f"An agent of ArenaScope is at work .*{running.pid}"
            ) as caught:
                _clean(tmp_path, remove=True)
            assert caught.value.board_code == "busy"
            assert path.exists()
        finally:
            running.kill()


def test_an_agent_that_is_just_leaving_is_waited_for(tmp_path: Path) -> None:
    path = _other(tmp_path, 1, 0)
    path.write_text("import sys\nsys.stdin.read()\n")
    with (
        subprocess.Popen([sys.executable, str(path), "attach"], stdin=subprocess.PIPE) as leaving,
        _shell(tmp_path, deploy.clean_command(remove=True)) as channel,
    ):
        assert leaving.stdin is not None
        leaving.stdin.close()
        deploy.finish_clean(channel, "board")
    assert _tree(tmp_path) == [".cache"]


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    command = deploy.clean_command(remove=True).replace("rm -rf", "echo Permission denied; false")
    _keep(tmp_path)
    with (
        _shell(tmp_path, command) as channel,
        pytest.raises(DeployError, match="cannot be removed: Permission denied") as caught,
    ):
        deploy.finish_clean(channel, "board")
    assert "rm -r ~/.cache/arenascope" in caught.value.hint
