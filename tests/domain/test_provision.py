"""What a board can have: every row of the table, and every reason why there is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arenascope.domain.board import Board, Environment
from arenascope.domain.provision import (
    TABLE,
    NoRecipe,
    NumpyFrom,
    Pin,
    Recipe,
    advice,
    choose,
    numpy_wheel,
    wheel_machine,
)
from arenascope.remote import wheels

ARMHF, ARM64, X86 = "arm-linux-gnueabihf", "aarch64-linux-gnu", "x86_64-linux-gnu"


def board(multiarch: str | None, python: str, libc: str | None, **facts: object) -> Board:
    bits = 32 if multiarch in (ARMHF, "arm-linux-gnueabi", "i386-linux-gnu") else 64
    machine = {ARMHF: "armv7l", ARM64: "aarch64", X86: "x86_64"}.get(multiarch or "", "armv7l")
    abi = "cp" + "".join(python.split(".")[:2])
    made = Board("pi", machine=machine, bits=bits, python=python, multiarch=multiarch, libc=libc, abi=abi)
    return replace(made, **facts)  # type: ignore[arg-type]


def recipe(made: Board) -> Recipe:
    chosen = choose(made)
    assert isinstance(chosen, Recipe), chosen
    return chosen


def none(made: Board) -> NoRecipe:
    chosen = choose(made)
    assert isinstance(chosen, NoRecipe), chosen
    assert chosen.reason.endswith(".")
    assert chosen.next
    assert chosen.reason in advice(made)
    return chosen


@pytest.mark.parametrize(
    ("multiarch", "python", "libc", "runtime", "numpy", "source"),
    [
        # bullseye, bookworm, trixie on 64 bits
        (ARM64, "3.9.2", "glibc 2.31", "ai-edge-litert 2.1.0", "2.0.2", NumpyFrom.WHEEL),
        (ARM64, "3.11.2", "glibc 2.36", "ai-edge-litert 2.3.0", "2.4.6", NumpyFrom.WHEEL),
        (ARM64, "3.13.5", "glibc 2.41", "ai-edge-litert 2.3.0", "2.4.6", NumpyFrom.WHEEL),
        # a newer Python beside an old system; one that is older than any LiteRT needs
        (ARM64, "3.12.3", "glibc 2.31", "ai-edge-litert 2.1.0", "2.4.6", NumpyFrom.WHEEL),
        (ARM64, "3.9.2", "glibc 2.28", "tflite-runtime 2.14.0", "1.26.4", NumpyFrom.WHEEL),
        (ARM64, "3.14.0", "glibc 2.41", "ai-edge-litert 2.3.0", "2.4.6", NumpyFrom.WHEEL),
        (X86, "3.9.2", "glibc 2.31", "ai-edge-litert 2.1.0", "2.0.2", NumpyFrom.WHEEL),
        (X86, "3.10.12", "glibc 2.35", "ai-edge-litert 2.3.0", "2.2.6", NumpyFrom.WHEEL),
        # bullseye, Ubuntu 22.04 and bookworm on 32 bits: what works with the NumPy that they have
        (ARMHF, "3.9.2", "glibc 2.31", "tflite-runtime 2.11.0", None, NumpyFrom.SYSTEM),
        (ARMHF, "3.10.12", "glibc 2.35", "tflite-runtime 2.13.0", None, NumpyFrom.SYSTEM),
        (ARMHF, "3.11.2", "glibc 2.36", "tflite-runtime 2.14.0", None, NumpyFrom.SYSTEM),
        (ARMHF, "3.11.2", None, "tflite-runtime 2.14.0", None, NumpyFrom.SYSTEM),
    ],
)  # fmt: skip
def test_what_each_system_gets(
    multiarch: str, python: str, libc: str, runtime: str, numpy: str | None, source: NumpyFrom
) -> None:
    chosen = recipe(board(multiarch, python, libc))
    assert f"{chosen.runtime.name} {chosen.runtime.version}" == runtime
    assert (chosen.numpy.version if chosen.numpy else None, chosen.numpy_source) == (numpy, source)
    assert advice(board(multiarch, python, libc)) == "Give it one: arenascope devices setup pi"


@pytest.mark.parametrize(
    ("multiarch", "python", "numpy", "runtime", "source"),
    [
        (ARMHF, "3.11.2", "1.24.2", "2.14.0", NumpyFrom.BOARD),
        (ARMHF, "3.11.2", "2.2.6", "2.14.0", NumpyFrom.SYSTEM),
        (ARMHF, "3.11.2", "1.22.0", "2.14.0", NumpyFrom.SYSTEM),
        (ARMHF, "3.9.2", "1.19.5", "2.11.0", NumpyFrom.BOARD),
        (ARMHF, "3.9.2", "1.22.4", "2.13.0", NumpyFrom.BOARD),
        (ARMHF, "3.9.2", "1.24.4", "2.14.0", NumpyFrom.BOARD),
        (ARM64, "3.11.2", "1.24.2", "2.3.0", NumpyFrom.BOARD),
        (ARM64, "3.11.2", "1.19.5", "2.3.0", NumpyFrom.WHEEL),
    ],
)
def test_the_numpy_that_is_there_is_used_if_it_fits(
    multiarch: str, python: str, numpy: str, runtime: str, source: NumpyFrom
) -> None:
    chosen = recipe(board(multiarch, python, "glibc 2.36", numpy=numpy))
    assert (chosen.runtime.version, chosen.numpy_source) == (runtime, source)
    assert chosen.numpy_fits(numpy) is (source is NumpyFrom.BOARD)
    assert (chosen.numpy is not None) is (source is NumpyFrom.WHEEL)


def test_the_numpy_of_an_environment_of_ours_is_brought_again() -> None:
    """The new environment takes the place of the old one, so what answered from there will be gone."""
    ours = Environment((("numpy", "1.24.2"),))
    chosen = recipe(board(ARMHF, "3.11.2", "glibc 2.36", numpy="1.24.2", environment=ours))
    assert chosen.numpy_source is NumpyFrom.SYSTEM


def test_a_32_bit_system_above_python_3_11_has_none_and_what_is_left_is_named() -> None:
    for python in ("3.12.3", "3.13.5"):
        found = none(board(ARMHF, python, "glibc 2.41"))
        assert found.reason == f"No runtime is built for Python {python} on 32-bit ARM: the last is for 3.11."
        assert "64-bit system" in found.next
        assert "Plan instead of measuring" in found.next
        assert "arenascope watch pi" in found.next


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"machine": "armv6l"}, "ARMv6"),
        ({"multiarch": "arm-linux-gnueabi"}, "arm-linux-gnueabi"),
        ({"multiarch": "i386-linux-gnu", "machine": "x86_64"}, "i386-linux-gnu"),
        ({"multiarch": "riscv64-linux-gnu", "machine": "riscv64", "bits": 64}, "riscv64-linux-gnu"),
        ({"multiarch": "arm-linux-musleabihf", "libc": None}, "musl"),
        ({"libc": "musl"}, "musl"),
        ({"abi": "pypy39"}, "pypy39"),
        ({"abi": "cp311t"}, "cp311t"),
        ({"python": "3.8.10", "abi": "cp38"}, "3.8.10 is too old"),
        ({"libc": "glibc 2.24"}, "newer C library than glibc 2.24"),
        ({"python": None}, "did not say"),
        ({"bits": None}, "did not say"),
        ({"multiarch": ARM64, "machine": "aarch64", "bits": 64, "python": "3.15.0", "abi": "cp315"}, "yet"),
    ],
)
def test_why_there_is_none(facts: dict[str, object], reason: str) -> None:
    made = replace(board(ARMHF, "3.11.2", "glibc 2.36"), **facts)  # type: ignore[arg-type]
    assert reason in none(made).reason


def test_the_width_of_a_process_decides_and_not_the_kernel() -> None:
    for machine in ("armv7l", "armv8l", "aarch64"):
        assert wheel_machine(board(ARMHF, "3.11.2", None, machine=machine)) == "armv7l"
        assert wheel_machine(Board("pi", machine=machine, bits=32, python="3.11.2")) == "armv7l"
    assert wheel_machine(Board("pi", machine="armv6l", bits=32, python="3.11.2")) is None
    assert wheel_machine(Board("pi", machine="aarch64", bits=64, python="3.11.2")) == "aarch64"
    assert wheel_machine(Board("pi", machine="i686", bits=32, python="3.11.2")) is None


def test_the_names_of_commands_fit_this_computer() -> None:
    assert "pip install" in advice(board(X86, "3.11.2", "glibc 2.36", name="this computer"))
    assert advice(board(X86, "3.11.2", "glibc 2.36", name="pc")).endswith("setup pc")


def test_every_wheel_that_can_be_chosen_is_known() -> None:
    for machine, rows in TABLE.items():
        for row in rows:
            for minor in range(row.first, row.last + 1):
                pins = [row.runtime]
                numpy = numpy_wheel(machine, f"cp3{minor}", row)
                if numpy is not None:
                    pins.append(numpy)
                for wheel in wheels.find(pins, machine, f"cp3{minor}"):
                    assert f"-cp3{minor}-" in wheel.file
                    assert all(platform.endswith(machine) for platform in wheel.platforms)
                    assert len(wheel.sha256) == 64
                    assert 0 < wheel.bytes < wheel.unpacked


def test_no_wheel_is_known_that_nothing_can_choose() -> None:
    chosen = {
        (pin, machine, f"cp3{minor}")
        for machine, rows in TABLE.items()
        for row in rows
        for minor in range(row.first, row.last + 1)
        for pin in (row.runtime, numpy_wheel(machine, f"cp3{minor}", row))
    }
    assert {(Pin(one.name, one.version), one.machine, one.abi) for one in wheels.known()} == {
        one for one in chosen if one[0] is not None
    }
