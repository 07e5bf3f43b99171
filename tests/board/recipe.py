"""What the emulated boards are made of: two kernels and two userlands, put together to three boards.

All parts are Debian's packages and a few wheels. ``userland.py`` and ``kernel.py`` follow this recipe;
a change here or there makes new images (``cache.py`` names them by a hash of both).
"""

from __future__ import annotations

from dataclasses import dataclass

SUITE = "bookworm"
#: The ordinary user, also its password. In no group but its own: it may not read the kernel's log.
USER = "board"


@dataclass(frozen=True)
class Kernel:
    """A kernel and an initramfs that mounts /dev/vda. ``modules`` in the order of loading; what a kernel
    has built in is left out."""

    debian: str
    package: str
    modules: tuple[str, ...] = (
        "virtio_mmio", "virtio_pci", "virtio_blk", "jbd2", "mbcache", "crc16", "crc32c_generic", "libcrc32c",
        "ext4", "failover", "net_failover", "virtio_net",
    )  # fmt: skip
    suite: str = SUITE

    @property
    def name(self) -> str:
        return f"kernel-{self.debian}"


@dataclass(frozen=True)
class Userland:
    """Two disks: ``runtime.img`` with NumPy and the wheels, ``bare.img`` with neither.

    ``numpy`` is purged from the bare one: NumPy and all that only NumPy pulled in. Wheels are pinned, and
    fit apt's NumPy 1.24.
    """

    debian: str
    qemu_user: str
    wheel_platforms: tuple[str, ...]
    wheels: tuple[str, ...]
    packages: tuple[str, ...] = (
        "python3", "python3-numpy", "openssh-server", "systemd-sysv", "udev", "iproute2", "procps",
    )  # fmt: skip
    numpy: tuple[str, ...] = (
        "python3-numpy", "python3-pkg-resources", "liblapack3", "libblas3", "libgfortran5",
    )  # fmt: skip
    python: str = "3.11"
    disk: str = "2G"
    user: str = USER
    suite: str = SUITE

    @property
    def name(self) -> str:
        return f"userland-{self.debian}"


Part = Kernel | Userland


@dataclass(frozen=True)
class Kind:
    """One kind of board. ``emulator``: program, machine and CPU."""

    name: str
    emulator: tuple[str, ...]
    kernel: Kernel
    userland: Userland
    disk: str = "runtime"


_KERNEL_32 = Kernel("armhf", "linux-image-armmp-lpae")
_KERNEL_64 = Kernel("arm64", "linux-image-arm64")
_USERLAND_32 = Userland("armhf", "qemu-arm", ("manylinux_2_34_armv7l",), ("tflite-runtime==2.14.0",))
_USERLAND_64 = Userland(
    "arm64",
    "qemu-aarch64",
    ("manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    (
        "ai-edge-litert==2.3.0", "flatbuffers==25.12.19", "protobuf==7.36.2", "ml_dtypes==0.5.3",
        "tqdm==4.70.1", "backports.strenum==1.2.8", "typing_extensions==4.16.0",
    ),
)  # fmt: skip
_EMULATOR_32 = ("qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15")
_EMULATOR_64 = ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72")

#: A Pi with a 32-bit system: 3G/1G split, tflite-runtime.
ARMHF = Kind("armhf", _EMULATOR_32, _KERNEL_32, _USERLAND_32)
ARMHF_BARE = Kind("armhf-bare", _EMULATOR_32, _KERNEL_32, _USERLAND_32, "bare")
#: A Pi with a 64-bit system: ai-edge-litert.
ARM64 = Kind("arm64", _EMULATOR_64, _KERNEL_64, _USERLAND_64)
ARM64_BARE = Kind("arm64-bare", _EMULATOR_64, _KERNEL_64, _USERLAND_64, "bare")
#: A Pi 4 with a 32-bit system as it is delivered: 64-bit kernel, 32-bit programs, 4 GiB of addresses.
ARMHF_ON_ARM64 = Kind("armhf-on-arm64", _EMULATOR_64, _KERNEL_64, _USERLAND_32)
ARMHF_ON_ARM64_BARE = Kind("armhf-on-arm64-bare", _EMULATOR_64, _KERNEL_64, _USERLAND_32, "bare")

KINDS = {
    kind.name: kind for kind in (ARMHF, ARMHF_BARE, ARM64, ARM64_BARE, ARMHF_ON_ARM64, ARMHF_ON_ARM64_BARE)
}
