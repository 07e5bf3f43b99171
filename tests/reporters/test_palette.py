"""The theme: text can be read on it, and roles can be told apart by every eye."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from arenascope.domain.roles import ROLES
from arenascope.reporters.palette import colours, contrast, fixed, readable_on, variables

pytestmark = pytest.mark.pure

THEMES = ("light", "dark")

#: How a colour arrives, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def _distance(a: str, b: str, eye: str) -> float:
    """Difference of two colours in OKLab, times 100: about 2 is just noticeable."""
    seen = [_TO_LAB @ np.cbrt(_TO_LMS @ np.clip(EYES[eye] @ _linear(c), 0, 1)) for c in (a, b)]
    return float(100 * np.linalg.norm(seen[0] - seen[1]))


def _linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_roles_on_the_map_are_told_apart_by_every_eye(theme: str, eye: str) -> None:
    on_the_map = ("input", "activation", "output", "scratch", "persistent", "error")
    table = colours(theme)
    for a, b in combinations(on_the_map, 2):
        assert _distance(table[f"role-{a}"], table[f"role-{b}"], eye) > 8, (a, b)
    for a, b in combinations((*ROLES, "error"), 2):
        assert _distance(table[f"role-{a}"], table[f"role-{b}"], eye) > 4, (a, b)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read(theme: str) -> None:
    table = colours(theme)
    for ground in ("background", "panel", "field", "raised"):
        assert contrast(table["text"], table[ground]) > 10
        for ink in ("muted", "error", "warn", "ok"):
            assert contrast(table[ink], table[ground]) > 4.5, (ink, ground)
    for origin in ("file", "planned", "estimated", "measured"):
        assert contrast(table[f"from-{origin}"], table["panel"]) > 4.5
    for role in ROLES:
        assert contrast(table[f"on-{role}"], table[f"role-{role}"]) > 4.5, role
    assert contrast(table["accent_text"], table["accent"]) > 3.5


def test_both_themes_name_the_same_colours() -> None:
    assert set(colours("light")) == set(colours("dark"))


def test_a_fixed_style_sheet_has_no_variables() -> None:
    assert (
        fixed(".a{fill:var(--panel);stroke:var(--role-input)}", "light") == ".a{fill:#FFFFFF;stroke:#3FA584}"
    )
    assert "--panel:#FFFFFF;" in variables("light")


def test_text_on_a_colour() -> None:
    assert readable_on("#FFFF00") == "#0B0E14"
    assert readable_on("#101040") == "#FFFFFF"
