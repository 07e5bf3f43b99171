"""A real OpenSSH server on 127.0.0.1, made for one test: own configuration, host key, home and user.

What runs behind it sees HOME, PATH and nothing of the person who runs the tests. ``Sshd.processes`` finds
it again, whatever became of its parents, by a mark in its environment.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_MARK = "ARENASCOPE_TEST_SSHD"
_FIRST_PORT = 2200
_PORTS = 200
_STARTED = 10.0
_numbers = itertools.count()

#: What the start of an agent uses besides Python.
TOOLS = ("sh", "bash", "env", "rm", "mkdir", "chmod", "head", "mv", "wc", "sha256sum", "cat", "du", "tr",
         "ls", "find", "rmdir", "sleep")  # fmt: skip


class Sshd:
    """A running server. ``home`` is the home that its sessions see; ``log`` what the server wrote."""

    def __init__(
        self,
        root: Path,
        *,
        user: str | None = None,
        path: str | None = None,
        shell: str = "sh",
        noise: str = "",
        key_types: tuple[str, ...] = ("ed25519",),
        options: tuple[str, ...] = (),
    ) -> None:
        """``noise`` is a line of sh that runs before ``shell`` gets the command, as login files do.
        ``options`` are lines for sshd_config; the first of a kind wins over ours."""
        self.root = root
        self.home = root / "home"
        self.user = user or pwd.getpwuid(os.getuid()).pw_name
        self.port = 0
        self.log: list[str] = []
        self._token = secrets.token_hex(8)
        self._key_types = key_types
        self._listening = threading.Event()
        self._reader: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self.home.mkdir()
        if user is not None:
            shutil.chown(self.home, user)
        (root / "authorized_keys").touch()
        wrapper = root / "login.sh"
        wrapper.write_text(f'#!/bin/sh\n{noise}\nexec {shell} -c "$SSH_ORIGINAL_COMMAND"\n')
        wrapper.chmod(0o755)
        path = path or f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        self._lines = [
            *options,
            "ListenAddress 127.0.0.1",
            *(f"HostKey {root}/host_{kind}" for kind in key_types),
            f"AuthorizedKeysFile {root}/authorized_keys",
            "StrictModes no",
            "PidFile none",
            "UsePAM no",
            "UseDNS no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "LogLevel VERBOSE",
            f"SetEnv HOME={self.home} PATH={path} {_MARK}={self._token}",
            f"ForceCommand {wrapper}",
        ]
        self.make_host_keys()
        self.start()

    @property
    def address(self) -> str:
        return f"{self.user}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen on the port of before, or on the first free one."""
        ports = [self.port] if self.port else range(_FIRST_PORT, _FIRST_PORT + _PORTS)
        for port in ports:
            if self._listens_on(port):
                self.port = port
                return
        raise RuntimeError("sshd does not start: " + "".join(self.log))

    def stop(self) -> None:
        """End the server, its connections, and what still runs behind them."""
        if self._process is None or self._reader is None:
            return
        sessions = _descendants(self._process.pid)
        self._process.kill()
        for pid in (*sessions, *self._marked()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._process = None

    def cut(self) -> None:
        """Break every connection without a word; the server itself goes on."""
        assert self._process is not None
        for pid in _descendants(self._process.pid):
            if _command(pid).startswith("sshd"):
                os.kill(pid, signal.SIGKILL)

    def make_host_keys(self) -> None:
        for kind in self._key_types:
            path = self.root / f"host_{kind}"
            path.unlink(missing_ok=True)
            make_key(path, kind)

    def allow(self, public: Path) -> None:
        with (self.root / "authorized_keys").open("a") as file:
            file.write(public.read_text())

    def known_hosts_line(self, kind: str = "ed25519") -> str:
        words = (self.root / f"host_{kind}.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {words[0]} {words[1]}\n"

    def fingerprint(self, kind: str = "ed25519") -> str:
        shown = subprocess.run(
            ["ssh-keygen", "-lf", self.root / f"host_{kind}.pub"], check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def processes(self) -> list[str]:
        """Command lines of what runs behind this server."""
        return [command for pid in self._marked() if (command := _command(pid))]

    def wait_for_quiet(self, *, sessions: bool = False) -> None:
        """Until nothing runs behind this server any more; with ``sessions``, until nobody is connected."""
        connected = _descendants(self._process.pid) if sessions and self._process else []
        for pid in (*self._marked(), *connected):
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                ready, _, _ = select.select([descriptor], [], [], _STARTED)
                os.close(descriptor)
                assert ready, _command(pid)

    def files(self) -> list[str]:
        """Files in the home of the far side, by their path in it."""
        return sorted(str(f.relative_to(self.home)) for f in self.home.rglob("*") if not f.is_dir())

    def _listens_on(self, port: int) -> bool:
        config = self.root / "sshd_config"
        config.write_text("\n".join([f"Port {port}", *self._lines]) + "\n")
        self._listening.clear()
        self._process = subprocess.Popen(
            [_sshd(), "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), name="sshd's log")
        self._reader.start()
        if not self._listening.wait(_STARTED):
            self.stop()
            raise RuntimeError("sshd does not start: " + "".join(self.log))
        if self._process.poll() is None and any("Server listening" in line for line in self.log):
            return True
        self.stop()
        taken = any("already in use" in line for line in self.log)
        if not taken:
            raise RuntimeError("sshd does not start: " + "".join(self.log))
        self.log.clear()
        return False

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.append(line)
            if "Server listening" in line:
                self._listening.set()
        self._listening.set()  # it ended; whoever waits looks at the log

    def _marked(self) -> list[int]:
        wanted = f"{_MARK}={self._token}".encode()
        found = []
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if wanted in environment.read_bytes().split(b"\0"):
                    found.append(int(environment.parent.name))
        return found


StartSshd = Callable[..., Sshd]


@pytest.fixture
def start_sshd() -> Iterator[StartSshd]:
    """Start servers with the options of ``Sshd``; all are gone at the end."""
    with contextlib.ExitStack() as stack:

        def start(**options: object) -> Sshd:
            # Not pytest's folder: that one lets no other user in.
            folder = Path(tempfile.mkdtemp(prefix="arenascope-sshd-"))
            stack.callback(shutil.rmtree, folder)
            folder.chmod(0o755)
            server = Sshd(folder, **options)  # type: ignore[arg-type]
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def ssh_dir(private_home: Path) -> Path:
    """The ~/.ssh of the person who tests, with one key in it."""
    folder = private_home / ".ssh"
    folder.mkdir(mode=0o700)
    make_key(folder / "id_ed25519")
    return folder


@pytest.fixture
def server(start_sshd: StartSshd, ssh_dir: Path) -> Sshd:
    """A server that knows the person's key and whose key the person knows."""
    started = start_sshd()
    introduce(started, ssh_dir)
    return started


@pytest.fixture
def password_user() -> Iterator[tuple[str, str]]:
    """(name, password) of a user made for this test. Needs root."""
    if os.getuid() != 0:
        pytest.skip("only root can make the user that a password is tested with")
    name = f"ascope{os.getpid()}n{next(_numbers)}"
    password = secrets.token_urlsafe(12)
    subprocess.run(
        ["useradd", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/sh", name], check=True
    )
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}", text=True, check=True)
        yield name, password
    finally:
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nothing listens, and that nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextlib.contextmanager
def tiny_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of its own at ``folder``. Skips, and says so, where it cannot be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0777", "none", str(folder)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted to be filled: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def introduce(server: Sshd, ssh_dir: Path) -> None:
    server.allow(ssh_dir / "id_ed25519.pub")
    with (ssh_dir / "known_hosts").open("a") as file:
        file.write(server.known_hosts_line())


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)], check=True
    )


def bare_path(folder: Path) -> str:
    """A PATH with a shell and a few tools and no Python."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin")
        if found:
            (folder / tool).symlink_to(found)
    return str(folder)


def _sshd() -> str:
    found = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("sshd is not here: install openssh-server")
    if os.getuid() == 0:
        # Where the package's service is never started, nobody makes it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return found


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
