"""One tensor in words."""

from __future__ import annotations

from arenascope.domain.provenance import Provenance
from arenascope.qtmodels.tensor_card import life_text, shape_text, tensor_card
from tests.support.captures import example_capture, hostile_capture, loop_capture


def test_the_card_says_everything_about_its_tensor() -> None:
    layout = example_capture().layout
    card = tensor_card(layout.by_key[(0, 18)], layout)
    assert card.title == "#18 doorbell/depthwise2/Relu6"
    assert dict(card.rows) == {
        "type": "float32 [1, 24, 24, 32]",
        "bytes": "73,728 B  (72.0 KiB)",
        "kind": "arena_rw",
        "offset": "0xbd000  (774,144)",
        "address": "0xb3cbe040",
        "alive": "steps 3–5",
        "made by": "DEPTHWISE_CONV_2D (3)",
        "read by": "CONV_2D (4), ADD (5)",
    }
    assert card.provenance is Provenance.MEASURED
    text = card.text()
    assert text.splitlines()[0] == card.title
    assert text.splitlines()[-1] == "origin   measured"


def test_what_is_not_known_is_said_in_words() -> None:
    layout = loop_capture().layout
    card = dict(tensor_card(layout.by_key[(0, 4)], layout).rows)
    assert (card["offset"], card["address"], card["alive"]) == ("none", "none", "not planned")
    given = dict(tensor_card(layout.by_key[(0, 0)], layout).rows)
    assert (given["made by"], given["alive"]) == ("nobody: it is given", "throughout")
    assert tensor_card(layout.by_key[(0, 4)], layout).provenance is Provenance.PLANNED


def test_shapes_and_lives_have_their_short_forms() -> None:
    assert shape_text(None) == "unknown shape"
    assert shape_text(()) == "scalar"
    layout = example_capture().layout
    assert life_text(layout.by_key[(0, 27)]) == "step 0"
    assert life_text(layout.by_key[(0, 26)]) == "step 11 to the end"


def test_hostile_names_stay_text_on_one_line() -> None:
    layout = hostile_capture().layout
    for placement in layout.placements:
        card = tensor_card(placement, layout)
        for text in (card.title, *(value for _, value in card.rows)):
            assert not set("\n\r\x1b\u202e\u2028\x00") & set(text)
        assert len(card.title) <= 80
        assert len(card.text().splitlines()) == len(card.rows) + 2
