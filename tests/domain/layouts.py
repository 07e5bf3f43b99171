"""Small layouts for the tests of the domain, built through the same join as real readings."""

from __future__ import annotations

from arenascope.domain.graph import Graph, Operator, Subgraph, Tensor
from arenascope.domain.layout import Kind, MemoryLayout
from arenascope.domain.reading import RawNode, RawSubgraph, RawTensor, assemble

BASE = 0x1000


def graph_of(
    operators: list[tuple[str, list[int], list[int]]], tensors: int, inputs: list[int], outputs: list[int]
) -> Graph:
    return Graph(
        name="small.tflite",
        sha256="0" * 64,
        file_bytes=1,
        subgraphs=(
            Subgraph(
                0,
                "main",
                tuple(Tensor(i, f"t{i}", "float32", (16,), None, 0, 0, False) for i in range(tensors)),
                tuple(Operator(i, n, tuple(a), tuple(b)) for i, (n, a, b) in enumerate(operators)),
                tuple(inputs),
                tuple(outputs),
            ),
        ),
    )


def layout_of(
    operators: list[tuple[str, list[int], list[int]]],
    offsets: dict[int, tuple[int, int]],
    *,
    inputs: list[int],
    outputs: list[int],
    temporaries: dict[int, list[int]] | None = None,
    kinds: dict[int, Kind] | None = None,
    preserve_all: bool = False,
) -> MemoryLayout:
    """``offsets``: tensor → (offset, bytes). Tensors beyond those of the operators are temporaries."""
    named = {t for _, a, b in operators for t in (*a, *b) if t >= 0} | set(inputs) | set(outputs)
    count = max(named) + 1
    temporaries = temporaries or {}
    kinds = kinds or {}
    every = sorted(named | set(offsets))
    raw = RawSubgraph(
        index=0,
        when="after_invoke",
        source="test",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        variables=(),
        tensors=tuple(
            RawTensor(
                t,
                f"t{t}" if t < count else "",
                "float32",
                (offsets[t][1] // 4,) if t in offsets else (1,),
                offsets[t][1] if t in offsets else 4,
                kinds.get(t, Kind.ARENA_RW if t in offsets else Kind.MMAP_RO),
                BASE + offsets[t][0] if t in offsets else 0x900000 + 64 * t,
            )
            for t in every
        ),
        nodes=tuple(
            RawNode(i, n, tuple(a), tuple(b), tuple(temporaries.get(i, ())), False)
            for i, (n, a, b) in enumerate(operators)
        ),
        plan=tuple(range(len(operators))),
    )
    return assemble([raw], graph_of(operators, count, inputs, outputs), preserve_all=preserve_all)
