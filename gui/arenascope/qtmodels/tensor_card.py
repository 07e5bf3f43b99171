"""One tensor in words, for the hover card, the details and the clipboard."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.figures import tensor_label
from ..domain.layout import MemoryLayout, Placement
from ..domain.plain_text import plain
from ..domain.provenance import Provenance
from ..domain.units import format_bytes, format_exact

_MOST_READERS = 4


@dataclass(frozen=True, slots=True)
class TensorCard:
    """All texts are plain and on one line."""

    title: str
    rows: tuple[tuple[str, str], ...]  #: label, value
    provenance: Provenance  #: of the place: measured where an address was read

    def text(self) -> str:
        """The card for the clipboard."""
        width = max(len(label) for label, _ in self.rows)
        lines = [f"{label.ljust(width)}  {value}" for label, value in self.rows]
        return "\n".join([self.title, *lines, f"{'origin'.ljust(width)}  {self.provenance.value}"])


def tensor_card(placement: Placement, layout: MemoryLayout) -> TensorCard:
    p = placement
    size = "unknown" if p.bytes is None else f"{format_exact(p.bytes)}  ({format_bytes(p.bytes)})"
    rows = [
        ("type", f"{plain(p.dtype, 40)} {shape_text(p.shape)}"),
        ("bytes", size),
        ("kind", p.kind.value + (", temporary" if p.temporary else "")),
        ("offset", "none" if p.offset is None else f"{p.offset:#x}  ({p.offset:,})"),
        ("address", "none" if p.address is None else f"{p.address:#x}"),
        ("alive", life_text(p)),
        ("made by", producer_text(p, layout)),
        ("read by", consumers_text(p, layout)),
    ]
    measured = Provenance.MEASURED if p.address is not None else Provenance.PLANNED
    return TensorCard(plain(tensor_label(p, layout), 80), tuple(rows), measured)


def shape_text(shape: tuple[int, ...] | None) -> str:
    """'[1, 48, 48, 16]', 'scalar', or 'unknown shape'."""
    if shape is None:
        return "unknown shape"
    return f"[{', '.join(map(str, shape))}]" if shape else "scalar"


def life_text(p: Placement) -> str:
    if p.first_op is None:
        return "not planned"
    if p.last_op is None:
        return "throughout" if p.first_op == 0 else f"step {p.first_op} to the end"
    return f"step {p.first_op}" if p.first_op == p.last_op else f"steps {p.first_op}–{p.last_op}"


def producer_text(p: Placement, layout: MemoryLayout) -> str:
    if p.producer is None:
        return "nobody: it is given"
    return operator_text(p.subgraph, p.producer, layout)


def consumers_text(p: Placement, layout: MemoryLayout) -> str:
    named = [operator_text(p.subgraph, index, layout) for index in p.consumers[:_MOST_READERS]]
    more = len(p.consumers) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "") if named else "nobody"


def operator_text(subgraph: int, index: int, layout: MemoryLayout) -> str:
    """'CONV_2D (3)': name and index of an operator."""
    return f"{plain(layout.operator_name(subgraph, index), 40) or 'operator'} ({index})"
