"""What a board lacks, each with the command that mends it."""

from __future__ import annotations

from dataclasses import replace

from arenascope.domain.board import Board
from arenascope.domain.lacks import lacks

GOOD = Board(
    "pi4", machine="armv7l", bits=32, python="3.11.2", multiarch="arm-linux-gnueabihf", libc="glibc 2.36",
    abi="cp311", numpy="1.24.2", runtime="tflite_runtime", runtime_version="2.14.0", swap_total=100,
    disk_free=10**10, user="pi", psi=True, memory_cgroup=True, kernel_log=True,
)  # fmt: skip
ERRORS = (("tflite_runtime", "SystemError: _ARRAY_API not found"),)


def test_a_good_board_lacks_nothing_and_neither_does_an_unknown_one() -> None:
    assert lacks(GOOD) == ()
    assert lacks(Board("unknown")) == ()


def test_each_lack_has_its_next_step() -> None:
    bare = replace(
        GOOD, runtime=None, runtime_errors=ERRORS, numpy=None, swap_total=0, disk_free=1024, psi=False,
        memory_cgroup=False, kernel_log=False,
    )  # fmt: skip
    found = {lack.what: lack for lack in lacks(bare)}
    assert list(found) == [
        "a TensorFlow Lite runtime and NumPy", "free disk", "swap", "pressure figures (PSI)",
        "memory cgroup", "the kernel's log",
    ]  # fmt: skip
    assert found["a TensorFlow Lite runtime and NumPy"].next == "arenascope devices setup pi4"
    assert "1.0 KiB" in found["free disk"].why
    assert "swapon" in found["swap"].next
    assert "psi=1" in found["pressure figures (PSI)"].next
    assert "cgroup_enable=memory" in found["memory cgroup"].next
    assert found["the kernel's log"].next.startswith("sudo usermod -aG adm pi,")


def test_a_numpy_that_does_not_fit_is_named_with_what_would() -> None:
    (found,) = lacks(replace(GOOD, runtime=None, runtime_errors=ERRORS, numpy="2.2.6"))
    assert (
        "Its NumPy 2.2.6 does not fit: tflite-runtime 2.14.0 needs 1.23.2 or newer and before 2." in found.why
    )
    assert found.what == "a TensorFlow Lite runtime"


def test_where_none_exists_the_reason_is_told() -> None:
    trixie = replace(GOOD, python="3.13.5", abi="cp313", runtime=None, runtime_errors=ERRORS)
    (found,) = lacks(trixie)
    assert found.why.startswith("No runtime is built for Python 3.13.5 on 32-bit ARM")
    assert "arenascope watch pi4" in found.next
