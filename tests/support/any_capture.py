"""Hypothesis strategies: any capture that the types and the file format allow."""

from __future__ import annotations

from hypothesis import strategies as st

from arenascope.domain.board import AddressSpace, Board
from arenascope.domain.capture import Capture, ModelFacts, Options
from arenascope.domain.layout import Arena, Kind, MemoryLayout, PlacedOperator, Placement
from arenascope.domain.measurement import (
    Evidence,
    Finding,
    Outcome,
    Part,
    Phase,
    ProcessMemory,
    Samples,
    Source,
    Status,
    TopProcesses,
    Totals,
)
from arenascope.domain.provenance import Provenance

texts = st.text(st.characters(), max_size=20)  # surrogates too: names are whatever a file says
maybe_text = st.none() | texts
sizes = st.integers(0, 2**63 - 1)
maybe_size = st.none() | sizes
indices = st.integers(0, 2**31 - 1)
shapes = st.lists(st.integers(0, 2**31 - 1), max_size=4).map(tuple)
numbers = st.floats(-1e9, 1e9)
tensor_lists = st.lists(st.integers(-1, 2**31 - 1), max_size=4).map(tuple)


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    first = draw(st.none() | indices)
    return Placement(
        subgraph=draw(st.integers(0, 3)),
        index=draw(indices),
        name=draw(texts),
        dtype=draw(texts),
        shape=draw(st.none() | shapes),
        bytes=draw(maybe_size),
        kind=draw(st.sampled_from(Kind)),
        address=draw(st.none() | st.integers(0, 2**64 - 1)),
        offset=draw(maybe_size),
        first_op=first,
        last_op=draw(st.none() | st.integers(first or 0, 2**31 - 1)),
        producer=draw(st.none() | indices),
        consumers=draw(st.lists(indices, max_size=4).map(tuple)),
        temporary=draw(st.booleans()),
    )


operators = st.builds(
    PlacedOperator, st.integers(0, 3), indices, texts, tensor_lists, tensor_lists, st.none() | tensor_lists,
    st.none() | indices,
)  # fmt: skip


@st.composite
def samples(draw: st.DrawFn) -> Samples:
    t = tuple(sorted(draw(st.lists(numbers, max_size=5))))
    column = st.lists(maybe_size, min_size=len(t), max_size=len(t)).map(tuple)
    process = st.builds(ProcessMemory, indices, texts, sizes)
    top = st.builds(TopProcesses, numbers, st.lists(process, max_size=2).map(tuple))
    return Samples(t, draw(column), draw(column), draw(column), draw(st.lists(top, max_size=2).map(tuple)))


captures = st.builds(
    Capture,
    tool_version=texts,
    model=st.builds(ModelFacts, texts, texts, sizes, sizes, sizes),
    device=st.builds(
        Board, texts, maybe_text, maybe_size, maybe_text, maybe_size, maybe_size, maybe_size, maybe_size,
        maybe_text, maybe_text, maybe_text, maybe_text, st.builds(AddressSpace, maybe_size, maybe_size),
    ),
    options=st.builds(
        Options, st.none() | indices, texts, st.booleans(), st.dictionaries(texts, shapes, max_size=2)
    ),
    layout=st.builds(
        MemoryLayout,
        st.lists(placements(), max_size=3, unique_by=lambda p: p.key).map(tuple),
        st.lists(operators, max_size=3, unique_by=lambda o: (o.subgraph, o.index)).map(tuple),
        st.lists(st.builds(Arena, indices, st.sampled_from(Kind), maybe_size, sizes), max_size=2).map(tuple),
    ),
    phases=st.lists(
        st.builds(
            Phase, texts, numbers, maybe_size, maybe_size, maybe_size, maybe_size, maybe_size,
            st.none() | numbers,
        ),
        max_size=2,
    ).map(tuple),
    totals=st.builds(Totals, *[maybe_size] * 7),
    attribution=st.lists(
        st.builds(Part, texts, st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(Provenance)), max_size=2
    ).map(tuple),
    samples=samples(),
    outcome=st.builds(
        Outcome, st.sampled_from(Status), maybe_text, texts, maybe_text,
        st.lists(st.builds(Finding, texts, texts, texts, maybe_size), max_size=2).map(tuple),
        st.lists(texts, max_size=2).map(tuple),
        st.none() | st.builds(Evidence, st.sampled_from(Source), texts, st.none() | numbers),
    ),
    created=maybe_text,
    attribution_when=maybe_text,
    layout_source=maybe_text,
    agent_rss=maybe_size,
    agent_cpu=st.none() | numbers,
    notes=st.lists(texts, max_size=2).map(tuple),
)  # fmt: skip
