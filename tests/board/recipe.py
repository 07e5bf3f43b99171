"""What the emulated boards are made of. A change here makes new images: the hash is their name.

All parts are Debian's packages and one wheel; ``build.py`` follows this recipe.
"""

from __future__ import annotations

import ast
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
#: Raise it when build.py makes something else of the same lists.
REVISION = 1

USERLAND = (
    "python3", "python3-numpy", "openssh-server", "systemd-sysv", "udev", "iproute2", "procps",
)  # fmt: skip

#: Modules of the initramfs, in the order of loading; what a kernel has built in is left out.
MODULES = (
    "virtio_mmio", "virtio_pci", "virtio_blk", "jbd2", "mbcache", "crc16", "crc32c_generic", "libcrc32c",
    "ext4", "failover", "net_failover", "virtio_net",
)  # fmt: skip

USER = "board"
DISK = "2G"


@dataclass(frozen=True)
class Architecture:
    """One kind of board: Debian's name for it, its kernel, its emulator."""

    name: str
    debian: str
    kernel: str
    qemu_user: str
    machine: tuple[str, ...]
    wheel_platform: str
    runtime: str


ARMHF = Architecture(
    name="armhf",
    debian="armhf",
    kernel="linux-image-armmp-lpae",
    qemu_user="qemu-arm",
    machine=("qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15"),
    wheel_platform="manylinux_2_34_armv7l",
    runtime="tflite-runtime==2.14.0",
)
ARM64 = Architecture(
    name="arm64",
    debian="arm64",
    kernel="linux-image-arm64",
    qemu_user="qemu-aarch64",
    machine=("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"),
    wheel_platform="manylinux_2_27_aarch64",
    runtime="ai-edge-litert==2.3.0",
)


def recipe_hash(architecture: Architecture) -> str:
    """Names the images of this recipe: its lists and the code that follows them, however it is laid out."""
    folder = Path(__file__).parent
    code = [ast.dump(ast.parse((folder / name).read_text())) for name in ("recipe.py", "build.py")]
    return hashlib.sha256("".join([*code, architecture.name]).encode()).hexdigest()[:16]


def cache_directory() -> Path:
    """Outside the tree, kept from run to run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "arenascope-boards"
