"""A running emulated board: started, waited for, logged into, switched off.

The disk is never written: every start sees the image as it was built. Only its speed is not a Pi's,
so every time taken on it is an emulated time.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .build import images, only_one_builder
from .recipe import ARMHF, USER, Architecture

MEMORY_MIB = 1024
_BOOT_SECONDS = 240


class BoardError(RuntimeError):
    """The emulated board did not start or did not answer; its console is in the message."""


@dataclass(frozen=True)
class EmulatedBoard:
    """Answers SSH on 127.0.0.1:``port`` for ``root`` and for an ordinary user, with ``key``."""

    port: int
    key: Path
    host_key: str
    process: subprocess.Popen[bytes]
    console: Path

    @property
    def user(self) -> str:
        return USER

    def ssh(
        self, command: str, *, user: str = "root", timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with the system's own ssh, beside everything of ours."""
        return subprocess.run(
            ["ssh", *self.ssh_options(), f"{user}@127.0.0.1", command],
            capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ssh_options(self) -> list[str]:
        return ["-p", str(self.port), "-i", str(self.key), "-o", "IdentitiesOnly=yes",
                "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "ConnectTimeout=20"]  # fmt: skip

    def known_hosts_line(self) -> str:
        kind, key = self.host_key.split()[:2]
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def power_off(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running_board(
    folder: Path,
    *,
    architecture: Architecture = ARMHF,
    disk: str = "runtime",
    memory_mib: int = MEMORY_MIB,
    port: int | None = None,
) -> Iterator[EmulatedBoard]:
    """Boot a board; ``disk`` is 'runtime' or 'bare'. ``folder`` takes the console's text."""
    with only_one_builder():
        parts = images(architecture)
    port = port or _free_port()
    console = folder / f"console-{port}.txt"
    command = [
        *architecture.machine, "-smp", "2", "-m", str(memory_mib),
        "-display", "none", "-no-reboot", "-snapshot",
        "-kernel", str(parts / "vmlinuz"), "-initrd", str(parts / "initrd"),
        "-append", "console=ttyAMA0 psi=1 quiet panic=1",
        "-drive", f"if=none,file={parts / (disk + '.img')},format=raw,id=disk",
        "-device", "virtio-blk-device,drive=disk",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", "virtio-net-device,netdev=net",
        "-serial", f"file:{console}", "-monitor", "none",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    board = EmulatedBoard(port, parts / "id_ed25519", (parts / "host_key.pub").read_text(), process, console)
    try:
        _wait_for_login(board)
        yield board
    finally:
        board.power_off()
        if process.stderr is not None:
            process.stderr.close()


def _wait_for_login(board: EmulatedBoard) -> None:
    deadline = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < deadline:
        if board.process.poll() is not None:
            assert board.process.stderr is not None
            raise BoardError(
                "The emulator ended: " + board.process.stderr.read().decode(errors="replace")[-800:]
            )
        with contextlib.suppress(subprocess.TimeoutExpired):
            if _banner(board.port) and board.ssh("true", timeout=60).returncode == 0:
                return
    tail = board.console.read_text(errors="replace")[-1500:] if board.console.exists() else ""
    raise BoardError(f"The board did not answer within {_BOOT_SECONDS} s. Its console ends:\n{tail}")


def _banner(port: int) -> bool:
    """Whether an SSH server speaks at the port; the emulator accepts connections before it does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
            link.settimeout(5)
            return link.recv(4) == b"SSH-"
    except OSError:
        time.sleep(0.3)  # nothing to wait on: the port is the emulator's until the guest listens
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
