"""Header figures: each with an origin, and an addition that makes it to the byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arenascope.domain.capture import Capture
from arenascope.domain.figures import header_figures, tensor_label, what_makes_the_peak
from arenascope.domain.layout import MemoryLayout
from arenascope.domain.measurement import Totals
from tests.support.captures import big_capture, example_capture, hostile_capture

CAPTURES = [example_capture(), big_capture(300), hostile_capture()]


@pytest.mark.parametrize("capture", CAPTURES)
def test_the_terms_add_up_to_the_figure(capture: Capture) -> None:
    for figure in header_figures(capture):
        if figure.bytes is not None:
            assert sum(t.bytes for t in figure.terms) == figure.bytes, figure.key


@pytest.mark.parametrize("capture", CAPTURES)
def test_a_known_figure_says_where_it_comes_from(capture: Capture) -> None:
    for figure in header_figures(capture):
        assert (figure.provenance is None) == (figure.bytes is None), figure.key
        assert figure.rule


def test_what_is_not_known_is_unknown_and_has_no_addition() -> None:
    nothing = Totals(None, None, None, None, None, None, None)
    bare = replace(
        example_capture(), layout=MemoryLayout((), (), ()), totals=nothing, phases=(), attribution=()
    )
    for figure in header_figures(bare):
        assert (figure.value_text, figure.terms) == ("unknown", ())
    assert what_makes_the_peak(bare) == "Nothing lies in this arena."


def test_the_peak_is_told_in_words_with_its_operator_and_share() -> None:
    capture = example_capture()
    text = what_makes_the_peak(capture)
    assert "%" in text and "At step" in text


def test_terms_name_tensors_that_exist() -> None:
    capture = example_capture()
    keys = {t.key for f in header_figures(capture) for t in f.terms if t.key is not None}
    assert keys <= set(capture.layout.by_key)
    assert all(tensor_label(capture.layout.by_key[k], capture.layout).startswith("#") for k in keys)
