"""The table of what differs between versions, and how a version is found in it."""

from __future__ import annotations

import pytest

from arenascope.domain.profiles import PROFILES, by_name, of_runtime
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


def test_threads_where_none_are_asked_for() -> None:
    assert by_name("tflite-2.14").threads(None) == -1
    assert by_name("litert-1.0").threads(None) == 1
    assert by_name("litert-1.0").threads(4) == 4


def test_an_installed_runtime_has_its_line() -> None:
    assert of_runtime("ai_edge_litert", "2.3.0") is PROFILES["litert-2.3"]
    assert of_runtime("tensorflow", "2.14.0") is None
    assert of_runtime("ai_edge_litert", "nightly") is None


def test_a_name_that_is_not_there_is_told_what_is() -> None:
    with pytest.raises(UsageError, match=r"litert-9\.9") as caught:
        by_name("litert-9.9")
    assert "litert-2.3" in (caught.value.hint or "")
