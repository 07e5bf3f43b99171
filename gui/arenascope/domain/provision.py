"""What a board can have: from its ABI, its Python and its C library to a runtime, or to why there is none.

The tables are pi-facts.md §1.1 to §1.4, of wheels that were downloaded, unpacked and tried. What counts is
what a wheel's libraries ask of the C library, not its file name: tags lie in both directions, and the
wheels are unpacked here, not installed by pip. The width of a process decides, never the name of the
kernel: a 32-bit system runs on 64-bit kernels, too.

Of everything that a wheel's metadata asks for, an Interpreter needs NumPy alone (tried with every runtime
below in an environment that had nothing else), so nothing else is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from .board import Board
from .versions import at_least, release

#: What can still be done with a board on which nothing can be run.
WITHOUT = (
    "Plan instead of measuring: the arenas of a model are nearly the same on this computer "
    "(arenascope inspect MODEL --delegate none). The board's memory can be followed with: "
    "arenascope watch {name}"
)


class NumpyFrom(StrEnum):
    """Where NumPy comes from."""

    BOARD = "the board"
    WHEEL = "a wheel"
    SYSTEM = "the package of the board's own system"


@dataclass(frozen=True, slots=True)
class Pin:
    """One release of a package, by its name in a package index."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a board gets. ``machine`` and ``abi`` are those of the wheels: ('armv7l', 'cp311').

    NumPy must be at least ``numpy_from_version`` and, where ``numpy_below`` is given, before that.
    ``numpy`` is the wheel to bring where it comes from a wheel.
    """

    machine: str
    abi: str
    runtime: Pin
    numpy_source: NumpyFrom
    numpy: Pin | None
    numpy_from_version: str
    numpy_below: str | None
    why: str

    @property
    def wheels(self) -> tuple[Pin, ...]:
        return (self.runtime,) if self.numpy is None else (self.runtime, self.numpy)

    def numpy_fits(self, version: str | None) -> bool:
        return (
            version is not None
            and at_least(version, self.numpy_from_version)
            and (self.numpy_below is None or not at_least(version, self.numpy_below))
        )


@dataclass(frozen=True, slots=True)
class NoRecipe:
    """Why nothing can be had, and what to do."""

    reason: str
    next: str


@dataclass(frozen=True, slots=True)
class Row:
    """A runtime for the Pythons from 3.``first`` to 3.``last``, on a C library from ``glibc`` on.

    ``numpy``: the lowest that works, and the first that does not.
    """

    runtime: Pin
    first: int
    last: int
    glibc: str
    numpy: tuple[str, str | None]
    why: str


_LITERT = "the newest LiteRT for this Python and C library"
_OLD_LITERT = "LiteRT from 2.1.2 on needs glibc 2.34"
_OLD_GLIBC = "every LiteRT for this Python needs a newer C library"
_ARM32 = "the last runtime that was built for 32-bit ARM"
_OLD_NUMPY = "the last runtime for 32-bit ARM that works with the NumPy of this system"

#: Machine → its rows, the best first. §1.1 and §1.2: what is built, and what it really needs.
TABLE: dict[str, tuple[Row, ...]] = {
    "aarch64": (
        Row(Pin("ai-edge-litert", "2.3.0"), 10, 14, "2.34", ("1.23.2", None), _LITERT),
        Row(Pin("ai-edge-litert", "2.1.0"), 9, 13, "2.30", ("1.23.2", None), _OLD_LITERT),
        Row(Pin("tflite-runtime", "2.14.0"), 9, 11, "2.27", ("1.23.2", "2"), _OLD_GLIBC),
    ),
    "x86_64": (
        Row(Pin("ai-edge-litert", "2.3.0"), 10, 14, "2.27", ("1.23.2", None), _LITERT),
        Row(Pin("ai-edge-litert", "2.1.0"), 9, 9, "2.27", ("1.23.2", None), _LITERT),
    ),
    "armv7l": (
        Row(Pin("tflite-runtime", "2.14.0"), 9, 11, "2.27", ("1.23.2", "2"), _ARM32),
        Row(Pin("tflite-runtime", "2.13.0"), 9, 10, "2.27", ("1.21.2", "2"), _OLD_NUMPY),
        Row(Pin("tflite-runtime", "2.11.0"), 9, 9, "2.27", ("1.19.2", "2"), _OLD_NUMPY),
    ),
}  # fmt: skip

#: The last minor version of Python for which there is any runtime.
_LAST_PYTHON = {machine: max(row.last for row in rows) for machine, rows in TABLE.items()}

#: The NumPy that is brought, by ABI; before 2 for what was built against NumPy 1. There is none for armv7l.
_NUMPY = {"cp39": "2.0.2", "cp310": "2.2.6", "cp311": "2.4.6", "cp312": "2.4.6", "cp313": "2.4.6",
          "cp314": "2.4.6"}  # fmt: skip
_NUMPY_1 = "1.26.4"
#: The NumPy of the distributions that have Python 3.9, 3.10 and 3.11 (bullseye, Ubuntu 22.04, bookworm): no
#: wheel of NumPy is built for armv7l, so there the runtime is chosen by what NumPy can be had.
_SYSTEM_NUMPY = {9: "1.19.5", 10: "1.21.5", 11: "1.24.2"}

#: GNU triplet of the userland → machine of its wheels.
_MACHINES = {
    "arm-linux-gnueabihf": "armv7l",
    "aarch64-linux-gnu": "aarch64",
    "x86_64-linux-gnu": "x86_64",
}


def choose(board: Board) -> Recipe | NoRecipe:
    """What to bring to a board so that a runtime works on it."""
    machine = wheel_machine(board)
    refused = _refused(board, machine)
    if refused is not None:
        return NoRecipe(*refused)
    assert machine is not None and board.python is not None
    minor = release(board.python)[1]
    abi = board.abi or f"cp3{minor}"
    libc = (board.libc or "").removeprefix("glibc ")
    rows = [
        row for row in TABLE[machine]
        if row.first <= minor <= row.last and (not libc or at_least(libc, row.glibc))
    ]  # fmt: skip
    recipes = [_recipe(board, machine, abi, row) for row in rows]
    for recipe in recipes:
        if recipe.numpy_source is not NumpyFrom.SYSTEM or recipe.numpy_fits(_SYSTEM_NUMPY[minor]):
            return recipe
    return NoRecipe(
        f"Every runtime for Python {board.python} on {machine} needs a newer C library than {board.libc}.",
        "Bring the system up to date (Debian 12 and Raspberry Pi OS of 2023 are new enough). "
        + _without(board),
    )


def _recipe(board: Board, machine: str, abi: str, row: Row) -> Recipe:
    lowest, below = row.numpy
    wheel = numpy_wheel(machine, abi, row)
    source = NumpyFrom.WHEEL if wheel else NumpyFrom.SYSTEM
    recipe = Recipe(machine, abi, row.runtime, source, wheel, lowest, below, row.why)
    # The NumPy that answers may be the one in an environment of ours, which the new one takes the place of.
    if board.environment is None and recipe.numpy_fits(board.numpy):
        return replace(recipe, numpy_source=NumpyFrom.BOARD, numpy=None)
    return recipe


def numpy_wheel(machine: str, abi: str, row: Row) -> Pin | None:
    """The NumPy that is brought beside a row's runtime; None where there is no wheel of it."""
    if machine == "armv7l":
        return None
    return Pin("numpy", _NUMPY_1 if row.numpy[1] else _NUMPY[abi])


def wheel_machine(board: Board) -> str | None:
    """Which machine's wheels a board's Python loads: 'armv7l' for a 32-bit system on a 64-bit kernel.

    None where there are none for it. The kernel's name decides only what the userland does not say.
    """
    if board.multiarch is not None:
        machine = _MACHINES.get(board.multiarch)
    elif board.bits == 32:
        machine = "armv7l" if board.machine in ("armv7l", "armv8l", "aarch64") else None
    else:
        machine = board.machine if board.machine in ("aarch64", "x86_64") else None
    if machine == "armv7l" and board.machine == "armv6l":
        return None  # Raspberry Pi OS calls both hard-float, and only the kernel knows the CPU
    return machine


def _refused(board: Board, machine: str | None) -> tuple[str, str] | None:
    """(reason, next step) where no row of the table can be right."""
    other = _without(board)
    if board.bits is None or board.python is None:
        return "The board did not say what it is.", f"Look again: arenascope devices check {target(board)}"
    if "musl" in f"{board.libc} {board.multiarch}":
        return (
            "The runtimes are built for glibc, and the C library of this system is musl.",
            f"Use a system with glibc, such as Debian or Raspberry Pi OS. {other}",
        )
    minor = release(board.python)[1]
    if machine is None:
        what = board.multiarch or board.machine or "this machine"
        if board.machine == "armv6l":
            what = "ARMv6 (Raspberry Pi 1 and Zero)"
        return f"No runtime is built for {what}, {board.bits}-bit.", other
    if board.abi is not None and not board.abi.removeprefix("cp").isdecimal():
        return (
            f"No runtime is built for this Python ({board.abi}).",
            "Install the ordinary CPython there: sudo apt install python3",
        )
    if minor > _LAST_PYTHON[machine]:
        last = _LAST_PYTHON[machine]
        if machine == "armv7l":
            return (
                f"No runtime is built for Python {board.python} on 32-bit ARM: the last is for 3.{last}.",
                "Use the 64-bit system if the board can run it, or the 32-bit one that has Python "
                f"3.{last} (Debian 12, Raspberry Pi OS bookworm). {other}",
            )
        return f"No runtime is built for Python {board.python} yet: the last is for 3.{last}.", other
    if minor < 9:
        return f"Python {board.python} is too old; 3.9 is needed.", "sudo apt install python3"
    return None


def advice(board: Board) -> str:
    """How a runtime gets to a board on which none works: one sentence, or why it cannot be had."""
    chosen = choose(board)
    if isinstance(chosen, NoRecipe):
        return f"{chosen.reason} {chosen.next}"
    return f"Give it one: {setup_command(board)}"


def setup_command(board: Board) -> str:
    """What brings a board its runtime. This computer has it from the installation of this program."""
    name = target(board)
    if name == "local":
        return "python -m pip install --force-reinstall ai-edge-litert, in the environment of arenascope"
    return f"arenascope devices setup {name}"


def target(board: Board) -> str:
    """A board's name as the command line takes it."""
    return "local" if board.name == "this computer" else board.name


def _without(board: Board) -> str:
    return WITHOUT.format(name=target(board))
