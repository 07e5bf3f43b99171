"""Facts of a device: what it is, what it has, which runtime answers on it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """Bounds of one process (pi-facts.md §2). Bytes; None: not derived on this device.

    ``mapped`` and ``data``: how much of it that process had mapped, and what of that counts as data.
    """

    ceiling: int | None
    largest_gap: int | None
    mapped: int | None = field(default=None, compare=False)
    data: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What else can refuse a process memory or end it. Bytes; None: unknown, or no such limit.

    ``overcommit`` is vm.overcommit_memory; ``group_limit`` and ``group_used`` are of the tightest control
    group; ``zram_free`` is the part of the free swap that lies in RAM, compressed, ``zram_kept`` what is
    there now and ``zram_used`` what that takes. ``kept_back`` is what MemAvailable leaves aside and a process
    can have all the same before the kernel ends it.
    """

    overcommit: int | None = None
    commit_limit: int | None = None
    committed: int | None = None
    kept_back: int | None = None
    rlimit_as: int | None = None
    rlimit_data: int | None = None
    group_limit: int | None = None
    group_used: int | None = None
    zram_free: int | None = None
    zram_kept: int | None = None
    zram_used: int | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """What was set up on a board for this program alone: packages (name, version), and bytes there."""

    packages: tuple[tuple[str, str], ...]
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A device as its agent described it. Unknown facts are None, never 0.

    ``bits`` is the pointer size of the Python that runs the runtime, ``machine`` the kernel's name
    for the CPU: they differ on a 32-bit userland over a 64-bit kernel. ``multiarch`` names the userland
    ('arm-linux-gnueabihf'), ``libc`` its C library ('glibc 2.36'), ``abi`` Python's own ('cp311').
    ``clock_offset``: seconds that its clock is ahead of this computer's, behind where negative.
    ``environment`` is what was set up there, ``disk_free`` the bytes free where this program keeps its
    files, ``uptime`` in seconds. ``psi``, ``memory_cgroup`` and ``kernel_log``: whether the kernel gives
    this user pressure figures, counts the memory of groups, and lets its log be read.
    """

    name: str
    machine: str | None = None
    bits: int | None = None
    kernel: str | None = None
    page_size: int | None = None
    ram_total: int | None = None
    ram_available: int | None = None
    swap_total: int | None = None
    python: str | None = None
    numpy: str | None = None
    runtime: str | None = None
    runtime_version: str | None = None
    address_space: AddressSpace = AddressSpace(None, None)
    #: Package → why it cannot be used, where a probe looked for a runtime and found none that works.
    runtime_errors: tuple[tuple[str, str], ...] = ()
    # Of the system, not of a run: a capture does not keep these, and they make no board another one.
    multiarch: str | None = field(default=None, compare=False)
    libc: str | None = field(default=None, compare=False)
    abi: str | None = field(default=None, compare=False)
    environment: Environment | None = field(default=None, compare=False)
    disk_free: int | None = field(default=None, compare=False)
    swap_free: int | None = field(default=None, compare=False)
    user: str | None = field(default=None, compare=False)
    uptime: float | None = field(default=None, compare=False)
    clock_offset: float | None = field(default=None, compare=False)
    psi: bool | None = field(default=None, compare=False)
    memory_cgroup: bool | None = field(default=None, compare=False)
    kernel_log: bool | None = field(default=None, compare=False)
    limits: Limits = field(default=Limits(), compare=False)

    @property
    def runtime_text(self) -> str:
        """'ai_edge_litert 2.3.0'; '' where none is known."""
        return f"{self.runtime} {self.runtime_version or ''}".rstrip() if self.runtime else ""

    @property
    def lacks_runtime(self) -> bool:
        """Whether it is known that no runtime works there."""
        return self.runtime is None and bool(self.runtime_errors)
