"""The tables of the page: values of a capture as the texts that stand in its cells.

All texts are plain (one line, nothing invisible); escaping is left to the template.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.alive import alive_bytes
from ..domain.capture import Capture
from ..domain.layout import MemoryLayout, Placement
from ..domain.measurement import Part, Phase
from ..domain.plain_text import plain
from ..domain.roles import role_of
from ..domain.units import format_bytes, format_exact, format_seconds
from .stacked import series_of
from .stamp import shape_text

UNKNOWN = "unknown"
NOTHING = "–"
_NAME = 88  # letters of a name that are shown
_WHOLE_NAME = 400  # the same for a pointer that rests on it
_READERS = 3


@dataclass(frozen=True, slots=True)
class TensorRow:
    anchor: str
    index: str
    name: str
    whole_name: str  #: '' where ``name`` is all of it
    role: str
    dtype: str
    shape: str
    size: str
    bytes: str
    kind: str
    offset: str
    address: str
    alive: str
    made_by: str
    read_by: str


@dataclass(frozen=True, slots=True)
class OperatorRow:
    step: str
    index: str
    name: str
    inputs: str
    outputs: str
    scratch: str
    alive: str
    alive_bytes: str
    most: bool  #: the step with the largest sum


@dataclass(frozen=True, slots=True)
class PhaseRow:
    name: str
    start: str
    seconds: str
    before: str
    peak: str
    after: str
    anon: str
    file: str
    highest: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    series: str
    part: str
    size: str
    bytes: str
    share: str
    provenance: str


def tensors(layout: MemoryLayout) -> list[TensorRow]:
    """Largest first."""
    several = len(layout.subgraphs) > 1
    ordered = sorted(layout.placements, key=lambda p: (-(p.bytes or 0), p.key))
    return [_tensor(p, layout, several) for p in ordered]


def anchor(key: tuple[int, int]) -> str:
    """The id of a tensor's row."""
    return f"t{key[0]}-{key[1]}"


def _tensor(p: Placement, layout: MemoryLayout, several: bool) -> TensorRow:
    readers = [_operator(layout, p.subgraph, index) for index in p.consumers[:_READERS]]
    more = len(p.consumers) - _READERS
    return TensorRow(
        anchor=anchor(p.key),
        index=f"{p.subgraph}:{p.index}" if several else str(p.index),
        name=plain(p.name, _NAME).strip() or _nameless(p, layout),
        whole_name=plain(p.name, _WHOLE_NAME) if len(p.name) > _NAME else "",
        role=role_of(p),
        dtype=plain(p.dtype, 16),
        shape=shape_text(p.shape).replace(" ", ""),
        size=format_bytes(p.bytes),
        bytes=UNKNOWN if p.bytes is None else f"{p.bytes:,}",
        kind=p.kind.value,
        offset=NOTHING if p.offset is None else f"{p.offset:,}",
        address=NOTHING if p.address is None else f"0x{p.address:x}",
        alive=alive_text(p),
        made_by=NOTHING if p.producer is None else _operator(layout, p.subgraph, p.producer),
        read_by=", ".join(readers) + (f" and {more} more" if more > 0 else "") or NOTHING,
    )


def _nameless(p: Placement, layout: MemoryLayout) -> str:
    if p.temporary and p.producer is not None:
        return f"scratch of {_operator(layout, p.subgraph, p.producer)}"
    return "(no name)"


def _operator(layout: MemoryLayout, subgraph: int, index: int) -> str:
    return f"{plain(layout.operator_name(subgraph, index), 40)}\N{NO-BREAK SPACE}{index}".strip()


def alive_text(p: Placement) -> str:
    """'3–7', '0–end', or a dash for what no step was planned for."""
    if p.first_op is None:
        return NOTHING
    return f"{p.first_op}–{'end' if p.last_op is None else p.last_op}"


def operators(layout: MemoryLayout, subgraph: int) -> list[OperatorRow]:
    """In the order of execution; operators that a delegate replaced stand at the end."""
    sums = alive_bytes(layout, subgraph)
    largest = max(sums, default=0)
    mine = [o for o in layout.operators if o.subgraph == subgraph]
    found = []
    position = {o.index: n for n, o in enumerate(layout.plan(subgraph))}
    for o in sorted(mine, key=lambda o: (position.get(o.index, len(position)), o.index)):
        alive = sums[position[o.index]] if o.index in position else None
        found.append(
            OperatorRow(
                step=NOTHING if o.step is None else str(o.step),
                index=str(o.index),
                name=plain(o.name, 60) or "(no name)",
                inputs=_indices(o.inputs),
                outputs=_indices(o.outputs),
                scratch=UNKNOWN if o.temporaries is None else _indices(o.temporaries),
                alive=NOTHING if alive is None else format_bytes(alive),
                alive_bytes="replaced by the delegate" if alive is None else format_exact(alive),
                most=bool(largest) and alive == largest,
            )
        )
    return found


def _indices(indices: tuple[int, ...]) -> str:
    """'#0 #1 #2'; an absent optional tensor is a dash."""
    shown = " ".join(f"#{i}" if i >= 0 else NOTHING for i in indices[:12])
    return (shown + (f" and {len(indices) - 12} more" if len(indices) > 12 else "")) or NOTHING


def phases(found: tuple[Phase, ...]) -> list[PhaseRow]:
    highest = max((p.rss_peak for p in found if p.rss_peak is not None), default=None)
    return [
        PhaseRow(
            name=plain(p.name, 40),
            start=UNKNOWN if p.start is None else f"{p.start:.2f} s",
            seconds=format_seconds(p.seconds),
            before=format_bytes(p.rss_before),
            peak=format_bytes(p.rss_peak),
            after=format_bytes(p.rss_after),
            anon=format_bytes(p.anon_after),
            file=format_bytes(p.file_after),
            highest=highest is not None and p.rss_peak == highest,
        )
        for p in found
    ]


def parts(found: tuple[Part, ...]) -> list[PartRow]:
    total = sum(p.bytes for p in found)
    return [
        PartRow(
            series=series_of(p),
            part=plain(p.part, 60),
            size=format_bytes(p.bytes),
            bytes=f"{p.bytes:,}",
            share=f"{100 * p.bytes / total:.1f} %" if total > 0 else NOTHING,
            provenance=p.provenance.value,
        )
        for p in found
    ]


def facts(capture: Capture) -> list[tuple[str, str]]:
    """What was run, on what: label and value, in the order of the page."""
    device, options = capture.device, capture.options
    inputs = [f"{plain(n, 60)} {shape_text(s)}" for n, s in list(options.inputs.items())[:8]]
    if len(options.inputs) > 8:
        inputs.append(f"and {len(options.inputs) - 8} more")
    runtime = f"{plain(device.runtime or UNKNOWN, 40)} {plain(device.runtime_version or '', 40)}".strip()
    cost = NOTHING
    if capture.agent_rss is not None and capture.agent_cpu is not None:
        cost = f"{format_bytes(capture.agent_rss)}, {100 * capture.agent_cpu:.1f} % of a core"
    return [
        ("Model file", f"{plain(capture.model.name, 120)}, {format_bytes(capture.model.bytes)}"),
        ("Contents", _counted(capture)),
        ("Runtime", runtime),
        ("Delegate", plain(options.delegate, 40)),
        ("Threads", "the runtime's default" if options.threads is None else str(options.threads)),
        ("Intermediate tensors", "all preserved" if options.preserve_all else "memory is reused"),
        ("Input shapes", "; ".join(inputs) or "as in the file"),
        ("Device", plain(device.name, 60)),
        ("Machine", plain(device.machine or UNKNOWN, 40)),
        ("Process", UNKNOWN if device.bits is None else f"{device.bits}-bit"),
        ("Kernel", plain(device.kernel or UNKNOWN, 80)),
        ("Page size", format_bytes(device.page_size)),
        (
            "RAM",
            f"{format_bytes(device.ram_total)}, {format_bytes(device.ram_available)} available at start",
        ),
        ("Swap", format_bytes(device.swap_total)),
        ("Address space", _address_space(capture)),
        ("Python and NumPy", f"{plain(device.python or UNKNOWN, 40)}, {plain(device.numpy or UNKNOWN, 40)}"),
        ("Cost of the agent", cost),
    ]


def _counted(capture: Capture) -> str:
    model = capture.model
    return (
        f"{model.operators} operator{'s' * (model.operators != 1)} "
        f"in {model.subgraphs} subgraph{'s' * (model.subgraphs != 1)}"
    )


def _address_space(capture: Capture) -> str:
    space = capture.device.address_space
    if space.ceiling is None and space.largest_gap is None:
        return UNKNOWN
    return f"up to {format_bytes(space.ceiling)}, largest gap {format_bytes(space.largest_gap)}"
