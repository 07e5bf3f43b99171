"""One page with everything in it: no script, nothing loaded from elsewhere, light, dark and print."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ..domain.attribution import moment
from ..domain.capture import Capture
from ..domain.figures import Figure, header_figures, what_makes_the_peak
from ..domain.layout import Kind
from ..domain.plain_text import plain
from ..domain.units import format_bytes
from ..resources import resource_text
from . import arena_map, curve, rows, stacked, stamp, svg, wording
from .arena_blocks import ArenaBlocks, arenas_of
from .markup import element
from .palette import variables
from .redact import redacted

#: Tensors and operators that stand open on the page; the others are folded.
OPEN_ROWS = 200
#: Terms of an addition that are shown one by one; the others are summed in a last line.
MOST_TERMS = 40
#: The same on paper, where nothing can be unfolded.
MOST_TERMS_PRINTED = 8
_LOG_LINES = 40
_PROCESSES = 8
_PIECES = re.compile(r"[^/_]*[/_]+|[^/_]+")


@dataclass(frozen=True)
class TermRow:
    label: str
    bytes: str
    anchor: str  #: '' where no tensor stands behind it
    printed: bool


@dataclass(frozen=True)
class FigureCard:
    key: str
    label: str
    value: str
    exact: str
    origin: str
    rule: str
    terms: Sequence[TermRow]
    rest_printed: str  #: what the lines that are left out on paper sum to


@dataclass(frozen=True)
class Map:
    title: str
    size: str
    drawing: Markup
    tensors: int
    overlaps: int
    sentence: str


def render(capture: Capture, *, redact: bool = True) -> str:
    """A whole HTML document. Names of hosts and users are left out unless ``redact`` is False."""
    shown = redacted(capture) if redact else capture
    style = _style()
    tensors = rows.tensors(shown.layout)
    arenas = arenas_of(shown.layout)
    total = sum(p.bytes for p in shown.attribution)
    return _template().render(
        policy=f"default-src 'none'; style-src 'sha256-{_hash(style)}'; base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704  # a file of ours and the theme
        name=plain(shown.model.name, 120),
        subtitle=_subtitle(shown),
        outcome=shown.outcome,
        ending=wording.ending(shown.outcome),
        message=plain(shown.outcome.message, 2000),
        findings=[
            (plain(f.cause, 400), plain(f.proof, 2000), plain(f.remedy, 600), f.saves)
            for f in shown.outcome.findings
        ],
        log=[plain(line, 400) for line in shown.outcome.log[-_LOG_LINES:]],
        notes=[plain(note, 1000) for note in shown.notes],
        figures=[_card(figure) for figure in header_figures(shown)],
        definitions=_drawing(svg.definitions(), 0, 0, "definitions"),
        legend=_legend(arenas),
        maps=[_map(arena, shown) for arena in arenas],
        parts=rows.parts(shown.attribution),
        parts_bar=_drawing(stacked.draw(shown.attribution), stacked.WIDTH, stacked.HEIGHT, "Attribution"),
        parts_total=(format_bytes(total), f"{total:,}"),
        parts_when=moment(capture.attribution_when),
        parts_agree=_agreement(shown, total),
        phases=rows.phases(shown.phases),
        curve=_curve(shown),
        processes=_processes(shown),
        tensors=tensors[:OPEN_ROWS],
        more_tensors=tensors[OPEN_ROWS:],
        operators=_operators(shown),
        facts=rows.facts(shown),
        methods=wording.methods(shown),
        origins=[(origin.value, text) for origin, text in wording.ORIGINS.items()],
        stamp=stamp.lines(capture, redact),
        redacted=redact,
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    environment.filters |= {"size": format_bytes, "breakable": _breakable}
    return environment.from_string(resource_text("report", "report.html.j2"))


def _breakable(word: str) -> Markup:
    """A long name that may go on in the next line after a stroke: 'model/<wbr>block_<wbr>1'."""
    return Markup("<wbr>").join(_PIECES.findall(word))  # join escapes the pieces


@cache
def _style() -> str:
    light, dark = variables("light"), variables("dark")
    themes = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return themes + resource_text("report", "drawing.css") + resource_text("report", "report.css")


def _hash(style: str) -> str:
    """Of the style sheet as the browser sees it: no other style, and no script, can take effect."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _drawing(content: str, width: float, height: float, label: str) -> Markup:
    """An SVG in the page. ``content`` comes from ``markup`` and is escaped there."""
    if not content:
        return Markup("")
    box = f"0 0 {width:g} {height:g}" if width else None
    return Markup(  # noqa: S704
        element(
            "svg", content, viewBox=box, class_="drawing" if width else "hidden", role="img", aria_label=label
        )
    )


def _subtitle(capture: Capture) -> str:
    device = capture.device
    runtime = f"{device.runtime or 'unknown runtime'} {device.runtime_version or ''}"
    bits = f"{device.machine or 'unknown machine'}" + (f", {device.bits}-bit" if device.bits else "")
    shown = (
        plain(text, 60).strip() for text in (runtime, device.name, bits, stamp.date_text(capture.created))
    )
    return " · ".join(shown)


def _card(figure: Figure) -> FigureCard:
    terms = [(term.label, term.bytes, term.key) for term in figure.terms]
    if len(terms) > MOST_TERMS:
        rest = terms[MOST_TERMS - 1 :]
        terms = [*terms[: MOST_TERMS - 1], (f"{len(rest)} more, together", sum(b for _, b, _ in rest), None)]
    hidden = terms[MOST_TERMS_PRINTED:]
    return FigureCard(
        key=figure.key,
        label=figure.label,
        value=figure.value_text,
        exact=figure.exact_text,
        origin=figure.provenance.value if figure.provenance else "unknown",
        rule=figure.rule,
        terms=[
            TermRow(plain(label, 120), _signed(size), rows.anchor(key) if key else "", n < MOST_TERMS_PRINTED)
            for n, (label, size, key) in enumerate(terms)
        ],
        rest_printed=f"{len(hidden)} more, together {_signed(sum(b for _, b, _ in hidden))}"
        if hidden
        else "",
    )


def _signed(size: int) -> str:
    return f"\N{MINUS SIGN}{-size:,}" if size < 0 else f"{size:,}"


def _map(arena: ArenaBlocks, capture: Capture) -> Map:
    content = arena_map.draw(arena)
    return Map(
        title=arena.title,
        size=format_bytes(arena.bytes),
        drawing=_drawing(content, arena_map.WIDTH, arena_map.height_of(arena), arena.title),
        tensors=len(arena.blocks),
        overlaps=len(arena.clashes),
        sentence=plain(what_makes_the_peak(capture, arena.subgraph), 600)
        if arena.kind is Kind.ARENA_RW
        else "",
    )


def _legend(arenas: Sequence[ArenaBlocks]) -> Markup:
    there = [role for arena in arenas for role in arena.roles]
    content = svg.legend(there, any(a.clashes for a in arenas), 0, 13) if there else ""
    return _drawing(content, arena_map.WIDTH, 20, "Legend: the colour is the role of the tensor")


def _curve(capture: Capture) -> Markup:
    content = curve.draw(capture.samples, capture.phases)
    return _drawing(
        content, curve.WIDTH, curve.height_of(capture.samples, capture.phases), "Memory over time"
    )


def _agreement(capture: Capture, total: int) -> str:
    """Whether the parts are what the kernel says of the same moment."""
    phase = next((p for p in capture.phases if p.name == "invoke_first"), None)
    if phase is None or phase.rss_after is None:
        return ""
    difference = total - phase.rss_after
    if not difference:
        return "This is what the kernel reports as resident after invoke_first, to the byte."
    return (
        f"The kernel's count at the end of invoke_first was {format_bytes(phase.rss_after)}; "
        f"the parts were read {format_bytes(abs(difference))} {'above' if difference > 0 else 'below'} it."
    )


def _processes(capture: Capture) -> tuple[str, list[tuple[str, int, int]]]:
    """The last list of the device's processes, or the last with the worker where it came to a bad end:
    when, and (name, pid, bytes)."""
    samples = capture.samples
    top = samples.processes[-1] if samples.processes else None
    if not capture.outcome.ok:
        top = samples.last_look or top
    if top is None:
        return "", []
    largest = sorted(top.processes, key=lambda p: -p.rss)[:_PROCESSES]
    return f"{top.t:.2f} s", [(plain(p.name, 60) or "(no name)", p.pid, p.rss) for p in largest]


def _operators(capture: Capture) -> list[tuple[str, list[rows.OperatorRow], list[rows.OperatorRow]]]:
    """By subgraph: title, the rows that stand open, the rows that are folded."""
    layout = capture.layout
    subgraphs = sorted({o.subgraph for o in layout.operators})
    found = []
    for subgraph in subgraphs:
        mine = rows.operators(layout, subgraph)
        title = f"Subgraph {subgraph}" if len(subgraphs) > 1 else ""
        found.append((title, mine[:OPEN_ROWS], mine[OPEN_ROWS:]))
    return found
