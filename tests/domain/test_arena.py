"""Places in an arena, against the rule written down the long way and against what must hold for any."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.arena import ALIGNMENT, Arena, aligned


@dataclass(frozen=True)
class Wanted:
    size: int
    first: int
    last: int | None

    def meets(self, other: Wanted) -> bool:
        ends_before = self.last is not None and self.last < other.first
        begins_after = other.last is not None and other.last < self.first
        return not ends_before and not begins_after


STEPS = 60
wanted = st.builds(
    lambda size, first, length: Wanted(
        size, first, None if length is None else min(first + length, STEPS - 1)
    ),
    st.integers(1, 400) | st.sampled_from([64, 128, 192]),
    st.integers(0, STEPS - 1),
    st.none() | st.integers(0, 4) | st.integers(0, STEPS),
)


def placed(tensors: list[Wanted]) -> tuple[list[int], Arena]:
    arena = Arena(STEPS)
    return [arena.place(t.size, t.first, t.last) for t in tensors], arena


def the_long_way(tensors: list[Wanted]) -> list[int]:
    """tflite-memory.md §2.4, word by word: every earlier tensor is looked at."""
    active: list[tuple[int, Wanted]] = []
    for tensor in tensors:
        current, best, fit = 0, None, 0
        for offset, other in sorted(active, key=lambda pair: pair[0]):
            if not tensor.meets(other):
                continue
            start = aligned(current)
            if start + tensor.size <= offset and (best is None or offset - start < fit):
                best, fit = start, offset - current
            current = max(current, offset + other.size)
            if best is not None and fit == 0:
                break
        active.append((aligned(current) if best is None else best, tensor))
    return [offset for offset, _ in active]


@given(st.lists(wanted, max_size=60))
def test_every_place_is_the_rules(tensors: list[Wanted]) -> None:
    assert placed(tensors)[0] == the_long_way(tensors)


@given(st.lists(wanted, max_size=60))
def test_no_two_tensors_that_live_at_once_overlap(tensors: list[Wanted]) -> None:
    offsets, arena = placed(tensors)
    for i, (tensor, offset) in enumerate(zip(tensors, offsets, strict=True)):
        assert offset % ALIGNMENT == 0
        for other, there in zip(tensors[:i], offsets[:i], strict=True):
            apart = offset >= there + other.size or there >= offset + tensor.size
            assert apart or not tensor.meets(other)
    assert arena.bytes == max((o + t.size for o, t in zip(offsets, tensors, strict=True)), default=0)


def test_a_gap_that_fits_best_is_taken() -> None:
    arena = Arena(3)
    assert arena.place(256, 0, None) == 0
    assert arena.place(64, 0, 0) == 256
    assert arena.place(64, 0, None) == 320
    assert arena.place(512, 0, 0) == 384
    assert arena.place(64, 0, None) == 896
    assert arena.place(64, 1, 1) == 256  # 64 bytes are free there, 512 behind


def test_a_gap_is_compared_behind_its_alignment_and_kept_as_it_is() -> None:
    """A gap of 68 bytes, 64 of them behind the alignment, and one of 64: the second wins nothing from the
    first by 64 < 68, though both are equally good. The runtime does so."""
    arena = Arena(2)
    arena.place(60, 0, None)  # ends at 60: 4 bytes are lost before 64
    arena.place(64, 0, 0)
    arena.place(64, 0, None)  # at 128
    arena.place(64, 0, 0)  # at 192
    arena.place(64, 0, None)  # at 256
    assert arena.place(64, 1, 1) == 192
    assert arena.bytes == 320


def test_without_steps_there_is_one_moment() -> None:
    arena = Arena(0)
    assert [arena.place(10, 0, None), arena.place(10, 0, None)] == [0, 64]
