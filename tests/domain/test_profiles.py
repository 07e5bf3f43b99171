"""The table of what differs between versions, and how a version is found in it."""

from __future__ import annotations

import pytest

from arenascope.domain.board import Board
from arenascope.domain.profiles import PROFILES, by_name, delegates, of_runtime, userland
from arenascope.errors import UsageError


def test_a_line_holds_until_a_later_one_changes_it() -> None:
    assert not by_name("tflite-2.10").hash_sets
    assert all(by_name(name).hash_sets for name in ("tflite-2.11", "tflite-2.14", "litert-1.0", "litert-2.3"))
    assert by_name("tflite-2.14").in_place.keys() == by_name("litert-2.3").in_place.keys()


def test_an_arena_takes_more_than_its_tensors() -> None:
    """tflite-memory.md §2.6: 32,748 bytes of tensors."""
    assert by_name("tflite-2.14").arena_block(32748) == 32876
    assert by_name("litert-2.3").arena_block(32748) == 32832
    assert by_name("litert-2.3").arena_block(0) == 0


def test_only_the_first_litert_takes_its_arena_for_granted() -> None:
    """tflite-memory.md §2.6: malloc whose answer nobody looks at."""
    blind = [name for name, profile in PROFILES.items() if not profile.checks_arena]
    assert blind == [f"litert-{version}" for version in ("1.0", "1.1", "1.2", "1.3", "1.4", "2.0")]


def test_threads_where_none_are_asked_for() -> None:
    assert by_name("tflite-2.14").threads(None) == -1
    assert by_name("litert-1.0").threads(None) == 1
    assert by_name("litert-1.0").threads(4) == 4


@pytest.mark.parametrize(
    ("machine", "bits", "known"),
    [
        ("armv7l", 32, "armv7l"),
        ("aarch64", 32, "armv7l"),
        ("aarch64", 64, "aarch64"),
        ("AMD64", 64, "x86_64"),
        ("armv6l", 32, None),
        ("riscv64", 64, None),
        (None, None, None),
    ],
)
def test_a_machine_is_told_by_its_process(machine: str | None, bits: int | None, known: str | None) -> None:
    assert userland(Board("pi", machine=machine, bits=bits)) == known


def test_an_installed_runtime_has_its_line() -> None:
    assert of_runtime("ai_edge_litert", "2.3.0") is PROFILES["litert-2.3"]
    assert of_runtime("tensorflow", "2.14.0") is None
    assert of_runtime("ai_edge_litert", "nightly") is None


def test_a_name_that_is_not_there_is_told_what_is() -> None:
    with pytest.raises(UsageError, match=r"litert-9\.9") as caught:
        by_name("litert-9.9")
    assert "litert-2.3" in (caught.value.hint or "")


def test_tflite_runtime_for_32_bit_arm_has_no_delegate() -> None:
    assert not delegates(by_name("tflite-2.14"), "armv7l")
    assert delegates(by_name("tflite-2.14"), "aarch64") and delegates(by_name("litert-2.3"), "x86_64")
    assert not delegates(by_name("tflite-2.7"), "x86_64")
