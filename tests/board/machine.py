"""A running emulated board: started, waited for, logged into, switched off and on again.

It runs on a copy of its disk, kept while the board exists: what is written there survives a power cut,
and no image is ever spoiled. Only its speed is not a Pi's, so every time taken on it is an emulated time.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from . import cache
from .build import lacking
from .recipe import USER, Kind
from .workshop import BoardBuildError

MEMORY_MIB = 1024
#: Seconds until an SSH login answers; a quarter of a minute on an idle computer.
_BOOT = 240.0
#: Seconds that sshd gets to recover, after the kernel had to kill something.
_RECOVERY = 60.0
#: Characters of a socket's path, less what ssh adds while it makes one.
_LONGEST_SOCKET = 80
#: ssh's own words for a connection that ended before the command began.
_NOT_BEGUN = re.compile(
    r"^(kex_exchange_identification|ssh_exchange_identification|ssh: connect to|Connection (reset|closed) by"
    r"|Connection timed out during banner|ssh_dispatch_run_fatal|banner exchange"
    r"|mux_client_(hello_exchange|request_session))",
    re.MULTILINE,
)


class BoardError(RuntimeError):
    """The emulated board did not start or did not answer; its console is in the message."""


class EmulatedBoard:
    """Answers SSH on 127.0.0.1:``port`` for root and for an ordinary user, with ``key``.

    ``folder`` takes its disk and its console. ``clock``: what its clock says at the start, as in
    2027-02-03T04:05:06 (UTC); this computer's time by default. systemd sets a clock that is behind the day
    of its own build forward to that day.
    """

    user = USER

    def __init__(
        self,
        kind: Kind,
        folder: Path,
        *,
        memory_mib: int = MEMORY_MIB,
        port: int | None = None,
        clock: str | None = None,
    ) -> None:
        missing = lacking([kind])
        if missing:
            raise BoardBuildError(
                f"The emulated board {kind.name} is not built: {', '.join(missing)}. As root: make boards"
            )
        userland = cache.used(kind.userland)
        self.kind = kind
        self.port = port or _free_port()
        self.key = userland / "id_ed25519"
        self.host_key = (userland / "host_key.pub").read_text().strip()
        self.console = folder / "console.txt"
        self._kernel = cache.used(kind.kernel)
        self._image = userland / f"{kind.disk}.img"
        self._disk = folder / "disk.img"
        self._errors = folder / "emulator.txt"
        self._masters = folder / "ssh-%r"
        self._memory_mib = memory_mib
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None

    # ------------------------------------------------------------------------- power

    @property
    def pid(self) -> int | None:
        """The emulator's process; None while the board is off."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def boot(self, *, clock: str | None = None, wait: bool = True) -> None:
        """Switch it on, with the disk as it was left, and wait until it answers. BoardError."""
        assert self.pid is None
        if not self._disk.exists():
            self._copy_disk()
        clock = clock or self._clock
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*_dies_with_us(), *self._command(clock)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
        if wait:
            self.wait_until_it_answers()

    def power_off(self) -> None:
        """Pull the plug."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for master in self._disk.parent.glob("ssh-*"):
                master.unlink(missing_ok=True)

    def wait_until_off(self) -> None:
        """Until it ends by itself."""
        if self._process is not None:
            self._process.wait()

    def forget_the_disk(self) -> None:
        """The next boot sees the image as it was built. Only while the board is off."""
        assert self.pid is None
        self._disk.unlink(missing_ok=True)

    def wait_until_it_answers(self, seconds: float = _BOOT) -> None:
        """Until sshd runs commands. BoardError, with the end of the console."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            if self.pid is None:
                said = self._errors.read_text(errors="replace")[-800:]
                raise BoardError(f"The emulator of {self.kind.name} ended. {said}{self._console_tail()}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                # Early on nobody is there to answer; later a loaded computer may need a while.
                if (
                    _banner(self.port, 2 if passed < 60 else 10)
                    and self._ssh_once("true", "root", 60, None).returncode == 0
                ):
                    return
        raise BoardError(f"{self.kind.name} did not answer within {seconds:.0f} s.{self._console_tail()}")

    # --------------------------------------------------------------------------- ssh

    def address(self, user: str = USER, port: int | None = None) -> str:
        """What ``--device`` takes; ``port`` is of a proxy before the board."""
        return f"{user}@127.0.0.1:{port or self.port}"

    def ssh(
        self, command: str, *, user: str = "root", timeout: float = 120, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with the system's own ssh, beside everything of ours; ``text`` is its stdin.

        A connection that ends before the command began is made again: sshd needs a moment after the
        kernel had to kill something.
        """
        deadline = time.monotonic() + _RECOVERY
        while True:
            done = self._ssh_once(command, user, timeout, text)
            if done.returncode != 255 or not _NOT_BEGUN.search(done.stderr):
                return done
            if time.monotonic() > deadline or self.pid is None:
                return done
            _banner(self.port)

    def out(self, command: str, *, user: str = "root", timeout: float = 120, text: str | None = None) -> str:
        """What the command prints. BoardError when it fails."""
        done = self.ssh(command, user=user, timeout=timeout, text=text)
        if done.returncode != 0:
            raise BoardError(f"{command!r} ended with {done.returncode} on {self.kind.name}: {done.stderr}")
        return done.stdout

    def python(self, script: str, *arguments: str, user: str = "root", timeout: float = 120) -> str:
        """What a script prints that the board's own python3 runs."""
        return self.out(" ".join(["python3 -", *arguments]), user=user, timeout=timeout, text=script)

    def send(self, file: Path, to: str, *, user: str = "root") -> None:
        """Copy a file or a folder to the path ``to`` on the board, with the system's own scp."""
        options = [{"-p": "-P"}.get(word, word) for word in (*self.ssh_options(), *self._shared())]
        command = ["scp", "-q", "-r", *options, str(file), f"{user}@127.0.0.1:{to}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise BoardError(f"{file} could not be copied to {self.kind.name}: {done.stderr}")

    def ssh_options(self) -> list[str]:
        return ["-p", str(self.port), "-i", str(self.key), "-F", "none", "-o", "IdentitiesOnly=yes",
                "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "ConnectTimeout=20"]  # fmt: skip

    def known_hosts_line(self, port: int | None = None) -> str:
        kind, key = self.host_key.split()[:2]
        return f"[127.0.0.1]:{port or self.port} {kind} {key}\n"

    def fingerprint(self) -> str:
        """SHA256:…, as ``arenascope devices add --fingerprint`` takes it."""
        shown = subprocess.run(
            ["ssh-keygen", "-lf", "-"], input=self.host_key, check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def introduce(self, home: Path, port: int | None = None) -> None:
        """Put the key and the host key into ~/.ssh there, so that nothing has to be asked.

        Boards of different userlands have different keys: the second gets the next of the names that are
        tried by themselves.
        """
        folder = home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        secret = self.key.read_bytes()
        for name in ("id_ed25519", "id_ecdsa", "id_rsa"):
            path = folder / name
            if not path.exists():
                path.touch(mode=0o600)
                path.write_bytes(secret)
            if path.read_bytes() == secret:
                break
        with (folder / "known_hosts").open("a") as file:
            file.write(self.known_hosts_line(port))

    # ------------------------------------------------------------------------------

    def _ssh_once(
        self, command: str, user: str, timeout: float, text: str | None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh", *self.ssh_options(), *self._shared(), f"{user}@127.0.0.1", command],
            capture_output=True, text=True, timeout=timeout, check=False, input=text or "",
        )  # fmt: skip

    def _command(self, clock: str | None) -> list[str]:
        return [
            *self.kind.emulator, "-smp", "2", "-m", str(self._memory_mib), "-display", "none", "-no-reboot",
            "-kernel", str(self._kernel / "vmlinuz"), "-initrd", str(self._kernel / "initrd"),
            "-append", "console=ttyAMA0 psi=1 quiet panic=1",
            "-drive", f"if=none,file={self._disk},format=raw,id=disk,discard=unmap",
            "-device", "virtio-blk-device,drive=disk",
            "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22",
            "-device", "virtio-net-device,netdev=net",
            "-rtc", f"base={clock or 'utc'}",
            "-serial", f"file:{self.console}", "-monitor", "none",
        ]  # fmt: skip

    def _shared(self) -> list[str]:
        """Commands of one user share a connection, which ends with the board: an emulated processor needs
        most of a second for each key exchange."""
        if len(str(self._masters)) > _LONGEST_SOCKET:
            return []
        return ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._masters}", "-o", "ControlPersist=yes"]

    def _copy_disk(self) -> None:
        copy = ["cp", "--sparse=always", "--reflink=auto", str(self._image), str(self._disk)]
        subprocess.run(copy, check=True)

    def _console_tail(self) -> str:
        if not self.console.exists():
            return ""
        return "\nIts console ends:\n" + self.console.read_text(errors="replace")[-1500:]


@contextlib.contextmanager
def emulated_board(
    kind: Kind, *, memory_mib: int = MEMORY_MIB, port: int | None = None, clock: str | None = None
) -> Iterator[EmulatedBoard]:
    """A board that is still off, in a folder of its own; off and gone at the end."""
    with cache.running_folder() as folder:
        board = EmulatedBoard(kind, folder, memory_mib=memory_mib, port=port, clock=clock)
        try:
            yield board
        finally:
            board.power_off()


def _dies_with_us() -> list[str]:
    """A prefix that makes the kernel end the emulator when its starter is killed."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "KILL"] if found else []


def _banner(port: int, patience: float = 5) -> bool:
    """Whether an SSH server speaks at the port; the emulator accepts connections before it does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
            link.settimeout(patience)
            if link.recv(4) == b"SSH-":
                return True
    except OSError:
        pass
    time.sleep(0.3)  # nothing to wait on: the port is the emulator's until the guest listens
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
