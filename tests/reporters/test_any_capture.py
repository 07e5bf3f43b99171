"""Whatever a capture from elsewhere says: there is a page and a picture of it, and never a traceback."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from arenascope.domain.capture import Capture
from arenascope.reporters import html, svg
from tests.support.any_capture import captures

pytestmark = pytest.mark.pure


@given(captures)
@settings(max_examples=80, deadline=None)
def test_any_capture_has_a_page(capture: Capture) -> None:
    text = html.render(capture)
    assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")
    assert text.encode("utf-8")


@given(captures)
@settings(max_examples=80, deadline=None)
def test_any_capture_has_a_picture(capture: Capture) -> None:
    assert ElementTree.fromstring(svg.render(capture).encode("utf-8")).tag.endswith("svg")
