"""Writes every model of this folder, and the README that lists them.

    python -m tests.data.make_models

The same bytes every time: a test compares them with what is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import recipes_control as control
from . import recipes_hostile as hostile
from . import recipes_layers as layers
from . import recipes_shapes as shapes

HERE = Path(__file__).parent

Recipe = Callable[[], bytes]

#: Models that every runtime loads, allocates and invokes.
SOUND: tuple[Recipe, ...] = (
    layers.lstm_fused,
    layers.cnn_float,
    layers.cnn_int8,
    layers.split_many,
    layers.inplace_chain,
    layers.fp16_weights,
    layers.int4_weights,
    layers.transpose_conv,
    layers.mean,
    layers.fully_connected,
    shapes.dynamic_where,
    shapes.dynamic_reshape,
    shapes.zero_size,
    shapes.scalar,
    shapes.strings,
    shapes.script_name,
    shapes.weights_behind,
    shapes.shared_constant,
    control.while_loop,
    control.if_branch,
    control.resource_variable,
    control.two_signatures,
)

#: Models that end badly, each in its own way.
HOSTILE: tuple[Recipe, ...] = (
    hostile.crash_load,
    hostile.crash_allocate,
    hostile.crash_input,
    hostile.crash_invoke,
    control.hang_while,
    hostile.unknown_operator,
    hostile.refused_allocate,
    hostile.refused_invoke,
    hostile.overflowing_shape,
    hostile.name_not_utf8,
)


def files() -> dict[str, bytes]:
    """File name → content of everything that this script makes."""
    made = {f"{recipe.__name__}.tflite": recipe() for recipe in (*SOUND, *HOSTILE)}
    return made | {"README.md": _readme(made).encode()}


def _readme(made: dict[str, bytes]) -> str:
    lines = [
        "# Models for the tests",
        "",
        "All of them are made by `make_models.py` in this folder (`python -m tests.data.make_models`),",
        "which writes this page, too. Nothing here comes from elsewhere; weights are random numbers with",
        "fixed seeds.",
    ]
    for title, recipes in (("Sound", SOUND), ("Made to end badly", HOSTILE)):
        lines += ["", f"## {title}", "", "| file | bytes | what it is |", "|---|---:|---|"]
        for recipe in recipes:
            name = f"{recipe.__name__}.tflite"
            lines.append(f"| {name} | {len(made[name]):,} | {_summary(recipe)} |")
    return "\n".join(lines) + "\n"


def _summary(recipe: Recipe) -> str:
    return " ".join((recipe.__doc__ or "").split())


def main() -> None:
    for name, content in files().items():
        (HERE / name).write_bytes(content)


if __name__ == "__main__":
    main()
