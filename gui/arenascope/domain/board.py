"""Facts of a device: what it is, what it has, which runtime answers on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """Bounds of one process (pi-facts.md §2). Bytes; None: not derived on this device."""

    ceiling: int | None
    largest_gap: int | None


@dataclass(frozen=True, slots=True)
class Board:
    """A device as its agent described it. Unknown facts are None, never 0.

    ``bits`` is the pointer size of the Python that runs the runtime, ``machine`` the kernel's name
    for the CPU: they differ on a 32-bit userland over a 64-bit kernel.
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

    @property
    def lacks_runtime(self) -> bool:
        """Whether it is known that no runtime works there."""
        return self.runtime is None and bool(self.runtime_errors)

    @property
    def runtime_advice(self) -> str:
        """How a runtime gets there (pi-facts.md §1.4)."""
        if self.bits == 32:
            return (
                "Install one there: python3 -m pip install tflite-runtime 'numpy<2'. "
                "For 32-bit systems there is none above Python 3.11."
            )
        return "Install one there: python3 -m pip install ai-edge-litert (in the Python that python3 starts)."
