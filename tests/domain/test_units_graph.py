"""Sizes in words and back; bytes of tensors of every type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenascope.domain.graph import Graph, Subgraph, Tensor, tensor_bytes
from arenascope.domain.units import format_bytes, format_exact, format_seconds, parse_size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (433152, "423.0 KiB"), (-2048, "-2.0 KiB"),
     (3 << 30, "3.0 GiB"), (5 << 50, "5120.0 TiB"), (None, "unknown")],
)  # fmt: skip
def test_bytes_in_words(size: int | None, text: str) -> None:
    assert format_bytes(size) == text


def test_exact_bytes_and_seconds() -> None:
    assert format_exact(433152) == "433,152 B"
    assert format_exact(None) == "unknown"
    assert [format_seconds(s) for s in (2e-5, 0.0123, 3.456, None)] == [
        "20 µs",
        "12.3 ms",
        "3.46 s",
        "unknown",
    ]


@given(st.integers(0, 1 << 60))
def test_a_plain_number_is_its_own_size(size: int) -> None:
    assert parse_size(str(size)) == pytest.approx(size, rel=1e-15)


@pytest.mark.parametrize("text", ["", "kB", "1.2.3", "1 parsec", "-1", "1e5"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [("float32", (), 4), ("float32", (2, 3), 24), ("int4", (3,), 2), ("int2", (5,), 2), ("uint4", (4,), 2),
     ("float16", (7,), 14), ("complex128", (2,), 32), ("string", (2,), None), ("resource", (), None),
     ("float32", (-1, 3), None), ("int8", (0, 9), 0)],
)  # fmt: skip
def test_bytes_of_a_tensor(dtype: str, shape: tuple[int, ...], size: int | None) -> None:
    assert tensor_bytes(dtype, shape) == size


def test_a_buffer_that_two_tensors_share_is_counted_once() -> None:
    shared = [Tensor(i, f"w{i}", "float32", (4,), None, 3, 16, False) for i in range(2)]
    other = Tensor(2, "w2", "float32", (2,), None, 4, 8, False)
    graph = Graph("m", "", 1, (Subgraph(0, "", (*shared, other), (), (), ()),))
    assert graph.weight_bytes == 24
