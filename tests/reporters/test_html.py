"""The page: everything in it, nothing outside it, and text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from arenascope.domain.capture import Capture
from arenascope.domain.figures import header_figures
from arenascope.domain.measurement import Phase, Status
from arenascope.reporters import html
from tests.support.captures import (
    HOSTILE_NAMES,
    bare_capture,
    big_capture,
    ended_capture,
    example_capture,
    hostile_capture,
    loop_capture,
    overlap_capture,
)

pytestmark = pytest.mark.pure

#: All that the template and the drawings write. Whatever else is there came in with a name.
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "div", "p", "h1",
    "h2", "h3", "span", "b", "strong", "i", "a", "bdi", "wbr", "details", "summary", "table", "thead",
    "tbody", "tfoot", "tr", "th", "td", "dl", "dt", "dd", "ul", "li", "pre", "figure", "figcaption", "svg",
    "defs", "pattern", "path", "rect", "line", "text", "g",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "title", "href", "role", "aria-label",
    "viewbox", "x", "y", "x1", "x2", "y1", "y2", "d", "width", "height", "rx", "fill", "text-anchor",
    "transform", "patternunits",
}  # fmt: skip
#: What nobody sees: controls, marks that turn the writing round, halves of surrogate pairs.
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\ud800-\udfff]")
CAPTURES = {
    "example": example_capture(),
    "loop": loop_capture(),
    "overlap": overlap_capture(),
    "hostile": hostile_capture(),
    "bare": bare_capture(),
    "big": big_capture(600),
    **{status.value: ended_capture(status) for status in Status},
}


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.declarations: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data!r}")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("redact", [True, False])
def test_nothing_is_on_the_page_but_what_the_template_puts_there(name: str, redact: bool) -> None:
    page = Page(html.render(CAPTURES[name], redact=redact))
    assert set(page.elements) <= ELEMENTS
    assert {attribute for _, attribute, _ in page.attributes} <= ATTRIBUTES
    assert page.declarations == ["doctype html"]
    assert page.elements["style"] == 1


@pytest.mark.parametrize("name", CAPTURES)
def test_the_page_needs_nothing_from_elsewhere(name: str) -> None:
    text = html.render(CAPTURES[name], redact=False)
    page = Page(text)
    for tag, attribute, value in page.attributes:
        assert attribute not in {"src", "style", "srcset", "data", "action"} and not attribute.startswith(
            "on"
        )
        if attribute == "href":
            assert tag == "a" and re.fullmatch(r"#t\d+-\d+", value)
        if attribute == "fill":
            assert value in {"url(#wrong)", "url(#rest)"}
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "@import" not in style[1] and "url(" not in style[1] and "expression" not in style[1]
    assert not re.search(r"https?://", style[1])
    assert "<script" not in text.lower()


def test_the_page_forbids_everything_but_its_own_style() -> None:
    text = html.render(example_capture())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    contents = [
        value for tag, attribute, value in Page(text).attributes if (tag, attribute) == ("meta", "content")
    ]
    policy = next(value for value in contents if "default-src" in value)
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_every_link_has_its_target() -> None:
    page = Page(html.render(big_capture(700)))
    targets = {value for _, attribute, value in page.attributes if attribute == "id"}
    links = {value[1:] for _, attribute, value in page.attributes if attribute == "href"}
    assert links and links <= targets
    ids = [value for _, attribute, value in page.attributes if attribute == "id"]
    assert len(ids) == len(set(ids))


def test_hostile_names_are_shown_as_they_are() -> None:
    text = html.render(hostile_capture(), redact=False)
    page = Page(text)
    for name in ("<script>alert(1)</script>", "</style><style>*{display:none}", "{{ 7 * 7 }}{% raw %}"):
        assert name in page.text
    assert "&lt;already&gt; &amp; &#x3c;" in page.text  # not decoded once too often
    assert not HIDDEN.search(text)
    assert all(len(word) < 2000 for word in page.words if "xxxx" in word)
    assert text.encode("utf-8")
    assert len(HOSTILE_NAMES[13]) > 10_000


@pytest.mark.parametrize("name", ["example", "loop", "big"])
def test_every_header_figure_is_there_with_value_and_origin(name: str) -> None:
    capture = CAPTURES[name]
    text = html.render(capture)
    words = Page(text).text
    for figure in header_figures(capture):
        card = re.search(
            rf'<span class="label">{figure.label}</span><span class="value">(.*?)</span>(.*?)</summary>', text
        )
        assert card is not None and card[1] == figure.value_text
        if figure.provenance is not None:
            assert f'from-{figure.provenance}">{figure.provenance}' in card[2]
        assert figure.rule.split(".")[0].split(":")[0] in words


def test_an_addition_on_the_page_adds_up() -> None:
    """However many terms there are: those that are not shown one by one are summed in a line."""
    text = html.render(big_capture(700), redact=False)
    sums = re.findall(
        r'<table class="sum"><tbody>(.*?)</tbody><tfoot>.*?<td class="n">([\d,]+) B</td>', text, re.DOTALL
    )
    assert len(sums) >= 5
    for body, total in sums:
        terms = re.findall(r'<td class="n">(−?[\d,]+)</td>', body)
        assert 0 < len(terms) <= html.MOST_TERMS
        assert sum(_number(term) for term in terms) == _number(total)


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-"))


def test_the_attribution_adds_up_to_the_resident_memory() -> None:
    capture = example_capture()
    text = html.render(capture)
    section = text[text.index('id="attribution"') : text.index('id="phases"')]
    shown = [_number(t) for t in re.findall(r'<td class="n">([\d,]+)</td>', section)]
    *parts, total = shown
    assert sum(parts) == total == sum(p.bytes for p in capture.attribution) == capture.phases[3].rss_after
    assert "to the byte" in section


def test_a_difference_between_the_parts_and_the_kernel_is_said() -> None:
    capture = example_capture()
    first = replace(capture.phases[3], rss_after=(capture.phases[3].rss_after or 0) - 8192)
    text = html.render(replace(capture, phases=(*capture.phases[:3], first, *capture.phases[4:])))
    assert "8.0 KiB above it" in text


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.OK])
def test_how_a_run_ended_stands_at_the_top(status: Status) -> None:
    capture = ended_capture(status)
    page = Page(html.render(capture)).text
    head = page[: page.index("Lower bound")]
    assert status.value.replace("_", " ") in head
    assert "in phase allocate" in head
    assert capture.outcome.message in head
    assert "std::bad_alloc" in head
    if capture.outcome.signal:
        assert capture.outcome.signal in head


def test_what_is_not_known_is_unknown_and_never_zero() -> None:
    page = Page(html.render(bare_capture())).text
    assert "Process peak unknown" in page
    assert "There are no samples" in page
    assert "No tensor was read" in page
    assert not re.search(r"\b0 B\b", page)


def test_the_stamp_says_what_was_run() -> None:
    capture = example_capture()
    text = html.render(capture)
    footer = Page(text[text.index("<footer>") :]).text
    for part in (
        capture.model.sha256, "tflite_runtime 2.14.0", "delegate none", "1 thread", "armv7l",
        "6.6.51+rpt-rpi-v7l", "924.0 MiB RAM", "2026-11-20 14:03:12 UTC", "ArenaScope 0.1.0",
    ):  # fmt: skip
        assert part in footer


def _personal() -> Capture:
    capture = example_capture()
    outcome = replace(
        capture.outcome,
        status=Status.FAILED,
        message="ada@pi4-lab could not read /home/ada/m.tflite",
        log=("open /home/ada/models/m.tflite failed on pi4-lab (192.168.7.21)",),
    )
    return replace(
        capture,
        device=replace(capture.device, name="ada@pi4-lab:2200"),
        model=replace(capture.model, name="/home/ada/m.tflite"),
        outcome=outcome,
        notes=("measured on pi4-lab",),
    )


def test_hosts_and_users_are_left_out_unless_asked_for() -> None:
    text = html.render(_personal())
    for word in ("ada", "pi4-lab", "192.168.7.21"):
        assert not re.search(rf"\b{re.escape(word)}\b", text)
    assert "Names of hosts and users are left out" in text
    kept = html.render(_personal(), redact=False)
    assert "ada@pi4-lab:2200" in kept and "/home/ada/m.tflite" in kept
    assert "are left out" not in kept


def test_ten_thousand_tensors_make_a_page_of_reasonable_size() -> None:
    text = html.render(big_capture(10_000))
    assert len(text) < 10_000_000
    page = Page(text)
    rows = {value for tag, attribute, value in page.attributes if tag == "tr" and attribute == "id"}
    assert len(rows) == 10_000
    assert f"The other {10_000 - html.OPEN_ROWS:,} tensors" in page.text


def test_all_arenas_have_a_map() -> None:
    page = Page(html.render(loop_capture())).text
    for title in ("Arena ·", "Arena of subgraph 1", "Arena of subgraph 2", "Persistent arena of subgraph 2"):
        assert title in page


def test_an_overlap_is_shown_as_an_error() -> None:
    text = html.render(overlap_capture())
    assert "2 overlaps: tensors that are both needed overwrite each other" in text
    assert text.count('class="clash"') == 3  # two, and the legend
    assert 'class="clash"' not in html.render(example_capture())


def test_a_phase_without_a_start_is_in_the_table_alone() -> None:
    capture = replace(example_capture(), phases=(Phase("load", 0.1, None, None, None, None, None),))
    assert "unknown" in html.render(capture)


@pytest.mark.parametrize(
    ("when", "words"), [("invoke_first", "after the first invoke"), ("allocate", "after allocate")]
)
def test_the_page_says_when_the_memory_was_read(when: str, words: str) -> None:
    page = html.render(replace(example_capture(), attribution_when=when))
    assert f"Resident memory of the worker {words}." in page
    assert f"own structures {words}," in page
    assert ("None were written: the model was not invoked" in page) is (when == "allocate")
    assert "its part is an estimate" in page


def test_the_ending_is_the_kernel_s_where_it_says_so_and_the_processes_are_those_before_it() -> None:
    killed = ended_capture(Status.KILLED)
    look = killed.samples.last_look
    assert look is not None
    text = Page(html.render(killed)).text
    assert "Out of memory: the kernel killed the worker in phase allocate (SIGKILL)." in text
    assert f"{look.t:.2f} s" in text
    unproven = replace(killed, outcome=replace(killed.outcome, evidence=None))
    assert "The worker was killed in phase allocate (SIGKILL)." in Page(html.render(unproven)).text
