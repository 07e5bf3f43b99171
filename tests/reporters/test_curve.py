"""The live curve: gaps stay gaps, peaks survive thinning, names never cover one another."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from arenascope.domain.measurement import Phase, Samples
from arenascope.reporters import curve, ticks
from tests.support.captures import example_capture

pytestmark = pytest.mark.pure


def _pieces(t: list[float], values: list[int | None]) -> list[list[float]]:
    return [[at for at, _ in piece] for piece in curve.pieces(t, values)]


def test_a_value_that_could_not_be_read_cuts_the_curve() -> None:
    assert _pieces([0.0, 1.0, 2.0, 3.0], [1, None, 1, 1]) == [[0.0], [2.0, 3.0]]


def test_a_pause_cuts_the_curve_and_a_late_sample_does_not() -> None:
    regular = [n / 20 for n in range(20)]
    t = [*regular, 1.15, 1.2, 3.0, 3.05]
    assert [len(p) for p in _pieces(t, [1] * len(t))] == [22, 2]


def test_what_is_asked_for_less_often_is_still_a_curve() -> None:
    t = [n / 20 for n in range(40)]
    device = [7 if n % 5 == 0 else None for n in range(40)]
    assert _pieces(t, device) == [[n / 4 for n in range(8)]]
    device[15:30] = [None] * 15  # 0.75 s and 1.25 s were asked for, 1 s and more were not
    assert len(_pieces(t, device)) == 1
    later = [*t, 9.0, 9.25]
    assert len(_pieces(later, [*device, 7, 7])) == 2


def test_the_name_of_a_phase_at_the_edge_stands_before_its_mark() -> None:
    samples = Samples((0.0, 1.0), (5, 6), (None, None), (None, None))
    phases = [Phase("invoke", 0.001, 1, 1, 1, 1, 1, start=0.999)]
    root = ElementTree.fromstring(f"<svg>{curve.draw(samples, phases)}</svg>")
    (name,) = [t for t in root.iter("text") if (t.text or "").startswith("invoke")]
    assert name.get("text-anchor") == "end" and float(name.get("x", 0)) < curve.WIDTH - 14


def test_nothing_known_is_no_curve() -> None:
    empty = Samples()
    unread = Samples((0.0, 1.0), (None, None), (None, None), (None, None))
    for samples in (empty, unread):
        assert curve.draw(samples, ()) == ""
        assert curve.height_of(samples, ()) == 0


def test_thinning_keeps_every_peak() -> None:
    points = [(n / 1000, 1.0) for n in range(100_000)]
    points[31_415] = (31.415, 9.0)
    points[70_001] = (70.001, 0.0)
    thin = curve.thinned(points, 100 / 900, 900)
    assert len(thin) <= 4 * 901
    assert max(v for _, v in thin) == 9.0 and min(v for _, v in thin) == 0.0
    assert thin == sorted(thin)
    assert (thin[0], thin[-1]) == (points[0], points[-1])


def test_the_drawing_has_the_gap_and_the_phases() -> None:
    capture = example_capture()
    root = ElementTree.fromstring(f"<svg>{curve.draw(capture.samples, capture.phases)}</svg>")
    rss = [p for p in root.iter("path") if p.get("class") == "curve"]
    assert len(rss) == 3  # one value was not read, and the link was down once
    gaps = [r.findtext("title", "") for r in root.iter("rect") if r.get("class") == "gap"]
    assert gaps == ["no samples from 2.60 s to 3.10 s"] * 2  # in both charts
    names = [t.text or "" for t in root.iter("text")]
    assert [n.split(" ")[0] for n in names if re.match(r"[a-z_]+ [\d.]+ m?s$", n)] == [
        p.name for p in capture.phases
    ]
    assert "seconds since the start of the run" in names
    assert len([m for m in root.iter("line") if m.get("class") == "peak"]) == 5


def test_names_of_phases_never_cover_one_another() -> None:
    phases = [Phase(f"phase_{n}", 0.001, 1, 1, 1, 1, 1, start=n * 0.004) for n in range(8)]
    samples = Samples((0.0, 1.0), (5, 6), (None, None), (None, None))
    root = ElementTree.fromstring(f"<svg>{curve.draw(samples, phases)}</svg>")
    texts = [t for t in root.iter("text") if (t.text or "").startswith("phase_")]
    assert len({t.get("y") for t in texts}) == 8
    height = curve.height_of(samples, phases)
    assert all(0 < float(t.get("y", 0)) < height for t in root.iter("text") if "y" in t.attrib)


def test_a_single_sample_is_a_dot() -> None:
    samples = Samples((1.0,), (5,), (7,), (0,))
    assert "h.01" in curve.draw(samples, ())


@pytest.mark.parametrize("top", [1, 5, 64, 65, 1000, 433_152, 2**20, 10**9, 2**63])
def test_byte_ticks_are_few_and_exact(top: int) -> None:
    found = ticks.byte_ticks(top)
    assert 2 <= len(found) <= 9
    assert found[0] == (0, "0") and all(at <= top for at, _ in found)
    assert len({label for _, label in found}) == len(found)


def test_byte_labels_are_exact() -> None:
    assert [ticks.byte_label(n) for n in (0, 512, 1536, 131_072, 1_310_720, 1_179_648)] == [
        "0", "512 B", "1.5 KiB", "128 KiB", "1.25 MiB", "1.125 MiB",
    ]  # fmt: skip


def test_step_and_second_ticks_are_round() -> None:
    assert ticks.step_ticks(12) == list(range(12))
    assert ticks.step_ticks(31) == list(range(0, 31, 5))
    assert ticks.step_ticks(5217)[1] == 500
    assert [label for _, label in ticks.second_ticks(0.0, 4.0)] == [f"{n / 2:.1f}" for n in range(9)]
    assert [label for _, label in ticks.second_ticks(0.0, 0.03)][:3] == ["0.000", "0.005", "0.010"]
    assert ticks.second_ticks(1.0, 1.0) == [(1.0, "1")]
