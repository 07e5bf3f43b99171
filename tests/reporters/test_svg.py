"""The picture of the arenas: valid XML, everything escaped, readable however many tensors there are."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arenascope.domain.layout import Kind, MemoryLayout
from arenascope.domain.measurement import Status
from arenascope.reporters import svg
from arenascope.reporters.palette import colours
from tests.support.captures import (
    bare_capture,
    big_capture,
    ended_capture,
    example_capture,
    hostile_capture,
    loop_capture,
    overlap_capture,
)

pytestmark = pytest.mark.pure

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "style", "defs", "pattern", "path", "rect", "line", "text", "g", "title"}
CAPTURES = {
    "example": example_capture(),
    "loop": loop_capture(),
    "overlap": overlap_capture(),
    "hostile": hostile_capture(),
    "bare": bare_capture(),
    "killed": ended_capture(Status.KILLED),
    "300": big_capture(300),
}


def _parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode("utf-8"))


def _texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def _blocks(root: ElementTree.Element, class_: str = "b") -> list[ElementTree.Element]:
    """The blocks that stand for a tensor: they have a tooltip, those of the legend have none."""
    rects = root.iter(f"{SVG}rect")
    return [r for r in rects if class_ in r.get("class", "").split() and r.find(f"{SVG}title") is not None]


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_xml_with_nothing_in_it_that_acts(name: str, dark: bool) -> None:
    text = svg.render(CAPTURES[name], dark=dark, redact=False)
    root = _parsed(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ELEMENTS
    for element in root.iter():
        for attribute, value in element.attrib.items():
            assert not attribute.lower().startswith("on") and "href" not in attribute and attribute != "style"
            if attribute == "fill":
                assert re.fullmatch(r"url\(#\w+\)", value)
    assert "var(" not in text  # not every viewer knows it
    assert text.count("http") == 1  # the namespace


@pytest.mark.parametrize("name", CAPTURES)
def test_nothing_is_drawn_outside_the_picture(name: str) -> None:
    root = _parsed(svg.render(CAPTURES[name]))
    _, _, width, height = (float(v) for v in root.get("viewBox", "").split())
    shift = {child: _shift(group) for group in root.iter(f"{SVG}g") for child in group.iter()}
    for element in root.iter():
        dx, dy = shift.get(element, (0.0, 0.0))
        if element.tag == f"{SVG}rect" and "x" in element.attrib:
            x, y = float(element.get("x", 0)) + dx, float(element.get("y", 0)) + dy
            assert x >= -0.01 and x + float(element.get("width", 0)) <= width + 0.01
            assert y >= -0.01 and y + float(element.get("height", 0)) <= height + 0.01
        if element.tag == f"{SVG}text" and "y" in element.attrib:
            assert 0 < float(element.get("y", 0)) + dy < height


def _shift(group: ElementTree.Element) -> tuple[float, float]:
    x, y = re.fullmatch(r"translate\(([\d.]+) ([\d.]+)\)", group.get("transform", "")).groups()  # type: ignore[union-attr]
    return float(x), float(y)


def test_a_block_for_each_tensor_with_its_facts() -> None:
    capture = example_capture()
    tips = [b.findtext(f"{SVG}title", "") for b in _blocks(_parsed(svg.render(capture)))]
    assert len(tips) == sum(p.in_arena for p in capture.layout.placements) == 17
    tip = next(t for t in tips if "conv3 im2col" in t)
    assert "#28" in tip and "648.0 KiB (663,552 B)" in tip and "0xb3c01040" in tip
    assert "alive from step 4 to step 4" in tip


def test_blocks_lie_where_the_tensors_lie() -> None:
    """Heights and offsets are in one scale: a tensor's block is as high as its share of the arena."""
    root = _parsed(svg.render(example_capture()))
    by_name = {b.findtext(f"{SVG}title", "").split("\n")[0]: b for b in _blocks(root)}
    low, high = by_name["#28 conv3 im2col"], by_name["#0 serving_default_image:0"]
    scale = (float(low.get("height", 0)) + 1) / 663_552
    assert float(high.get("height", 0)) + 1 == pytest.approx(110_592 * scale, abs=0.1)
    bottom = float(low.get("y", 0)) + float(low.get("height", 0))
    assert float(high.get("y", 0)) + float(high.get("height", 0)) == pytest.approx(
        bottom - 663_552 * scale, abs=0.1
    )


def test_the_axes_say_what_they_are() -> None:
    texts = _texts(_parsed(svg.render(example_capture())))
    assert "program order (operators 0–11), not time" in texts
    assert "offset in the arena" in texts
    assert "128 KiB" in texts
    assert any(t.startswith("arena 900.0 KiB · reached at step 4") for t in texts)
    assert "high water: step 4" in texts
    assert any(t.startswith("colour = role") for t in texts)
    assert {"input", "activation", "output", "scratch", "persistent"} <= set(texts)


def test_bound_and_arena_are_both_marked_where_they_differ() -> None:
    texts = _texts(_parsed(svg.render(big_capture(300))))
    assert any(t.startswith("lower bound 78.0 KiB · step") for t in texts)
    assert any(t.startswith("arena 78.2 KiB") for t in texts)


def test_labels_stand_only_where_they_fit() -> None:
    root = _parsed(svg.render(big_capture(300)))
    labels = [t for t in root.iter(f"{SVG}text") if t.get("class", "").startswith("on ")]
    assert len(labels) < 20
    widths = sorted(float(b.get("width", 0)) for b in _blocks(root))
    assert widths[0] > 2  # and each block can be seen


def test_a_name_ends_where_an_output_uses_its_inputs_memory() -> None:
    """RELU in place: its block lies on its input's, so the input's name must end before it."""
    capture = example_capture()
    shared = capture.layout.placements[20]
    placements = list(capture.layout.placements)
    placements[21] = replace(
        placements[21], offset=shared.offset, bytes=shared.bytes, address=shared.address, name="in place"
    )
    changed = replace(capture, layout=replace(capture.layout, placements=tuple(placements)))
    labels = [
        t for t in _parsed(svg.render(changed)).iter(f"{SVG}text") if t.get("class", "").startswith("on ")
    ]
    (first,) = [t for t in labels if "residual" in (t.text or "") or "al/add" in (t.text or "")]
    (second,) = [t for t in labels if (t.text or "").startswith("in place")]
    assert float(first.get("x", 0)) + 5.5 * len(first.text or "") < float(second.get("x", 0))


def test_the_stamp_is_in_the_picture() -> None:
    capture = example_capture()
    text = "\n".join(_texts(_parsed(svg.render(capture))))
    assert capture.model.sha256 in text and "ArenaScope 0.1.0" in text
    assert "pi4-lab" not in text and "«redacted»" in text
    assert "pi4-lab" in svg.render(capture, redact=False)


def test_light_and_dark_have_the_colours_of_the_theme() -> None:
    light, dark = svg.render(example_capture()), svg.render(example_capture(), dark=True)
    assert colours("light")["role-input"] in light and colours("light")["role-input"] not in dark
    assert colours("dark")["panel"] in dark


def test_overlaps_are_hatched() -> None:
    root = _parsed(svg.render(overlap_capture()))
    clashes = _blocks(root, "clash")
    assert len(clashes) == 2
    assert all(c.get("fill") == "url(#wrong)" for c in clashes)
    assert "while both are needed" in clashes[0].findtext(f"{SVG}title", "")
    assert "two tensors overwrite each other" in _texts(root)


def test_no_arena_is_said() -> None:
    assert any(
        t.startswith("No tensor lies in an arena") for t in _texts(_parsed(svg.render(bare_capture())))
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["offset", "bytes", "first_op", "last_op", "producer"]),
            st.integers(0, 30),
            st.none() | st.integers(0, 2**31 - 1),
        ),
        max_size=6,
    ),
    st.lists(st.none() | st.integers(0, 2**31 - 1), min_size=12, max_size=12),
)
@settings(max_examples=100, deadline=None)
def test_a_layout_that_cannot_be_is_still_drawn(
    changes: list[tuple[str, int, int | None]], steps: list[int | None]
) -> None:
    """A capture from elsewhere may say anything that has the right type."""
    capture = example_capture()
    placements = list(capture.layout.placements)
    for field, index, value in changes:
        placements[index] = replace(placements[index], **{field: value})  # type: ignore[arg-type]
    operators = tuple(replace(o, step=s) for o, s in zip(capture.layout.operators, steps, strict=True))
    changed = replace(capture, layout=MemoryLayout(tuple(placements), operators, capture.layout.arenas))
    root = _parsed(svg.render(changed))
    in_arena = [p for p in placements if p.in_arena and p.kind in (Kind.ARENA_RW, Kind.ARENA_RW_PERSISTENT)]
    assert len(_blocks(root)) == len(in_arena)
