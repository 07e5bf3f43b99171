"""The runs of this sitting that belong on the curve of one set of knobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..domain.capture import Capture
from ..domain.graph import Graph
from ..domain.whatif import WhatIf, input_shapes
from ..errors import UsageError


def on_the_curve(
    captures: Iterable[Capture], graph: Graph, asked: WhatIf, device: str | None
) -> tuple[Capture, ...]:
    """Those that differ from the knobs in nothing but the batch. ``device`` None: of any device."""
    try:
        shapes = input_shapes(graph, replace(asked, batch=None))
    except UsageError:  # the knobs cannot be meant: nothing ran with them
        return ()
    given = {graph.main.tensors[index].name: shape for index, shape in shapes.items()}
    return tuple(
        capture
        for capture in captures
        if capture.model.sha256 == graph.sha256
        and (device is None or capture.device.name == device)
        and _same_options(capture, asked)
        and _same_shapes(capture, graph, given)
    )


def _same_options(capture: Capture, asked: WhatIf) -> bool:
    options = capture.options
    return (options.threads, options.delegate, options.preserve_all) == (
        asked.threads,
        asked.delegate,
        asked.preserve_all,
    )


def _same_shapes(capture: Capture, graph: Graph, given: dict[str, tuple[int, ...]]) -> bool:
    for index in graph.main.inputs:
        if index < 0:
            continue
        tensor = graph.main.tensors[index]
        ran = capture.options.inputs.get(tensor.name, tensor.shape)
        if tensor.name in given:
            if tuple(ran) != given[tensor.name]:
                return False
        elif [max(d, 1) for d in ran[1:]] != [max(d, 1) for d in tensor.shape[1:]]:
            return False
    return True
