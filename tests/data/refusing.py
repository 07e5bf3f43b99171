"""Models that refuse a batch in the ways that models do, and two whose run ends badly where it is needed.

They are made when they are asked for: what matters of them is what the real runtime says of them.
"""

from __future__ import annotations

import numpy as np
from flatbuffers import flexbuffers

from . import recipes_control
from .blocks import add, tanh
from .builder import GraphBuilder, ModelBuilder, options


def _start(description: str, shape: list[int]) -> tuple[ModelBuilder, GraphBuilder, int]:
    model = ModelBuilder(description)
    graph = model.subgraph("main")
    return model, graph, tanh(graph, graph.input("x", shape), shape, "before")


def added() -> bytes:
    """ADD with a constant of two rows: it fits to two samples, or to one, and to no other number."""
    model, graph, x = _start("a constant of fixed size", [2, 8])
    rows = graph.constant("rows", np.ones((2, 8), np.float32))
    graph.output(add(graph, x, rows, [2, 8], "y"))
    return model.build()


def joined() -> bytes:
    """CONCATENATION with a constant beside each sample."""
    model, graph, x = _start("a constant beside each sample", [1, 8])
    token = graph.constant("token", np.ones((1, 4), np.float32))
    made = options("Concatenation", axis=1)
    graph.output(graph.op("CONCATENATION", [x, token], ("y", [1, 12]), options=made))
    return model.build()


def first_only() -> bytes:
    """GATHER of the first sample: whatever the batch, there is one result."""
    model, graph, x = _start("looks at the first sample alone", [1, 8])
    zero = graph.constant("zero", np.zeros(1, np.int32))
    row = graph.op("GATHER", [x, zero], ("row", [1, 8]), options=options("Gather"))
    graph.output(tanh(graph, row, [1, 8], "y"))
    return model.build()


def detections() -> bytes:
    """The detection post-processing of SSD models, which handles one picture."""
    model = ModelBuilder("detects in one picture")
    graph = model.subgraph("main")
    boxes = tanh(graph, graph.input("x", [1, 6, 4]), [1, 6, 4], "boxes")
    classes = tanh(graph, graph.input("classes", [1, 6, 3]), [1, 6, 3], "scores")
    anchors = graph.constant("anchors", np.ones((6, 4), np.float32))
    found = [("place", [1, 5, 4]), ("class", [1, 5]), ("score", [1, 5]), ("number", [1])]
    graph.op("TFLite_Detection_PostProcess", [boxes, classes, anchors], *found)
    graph.output(*(len(graph.table.tensors) - back for back in (4, 3, 2, 1)))
    scales = {f"{side}_scale": 1.0 for side in "xyhw"}
    graph.table.operators[-1].customOptions = flexbuffers.Dumps(
        {
            "max_detections": 5, "max_classes_per_detection": 1, "num_classes": 2,
            "nms_score_threshold": 0.5, "nms_iou_threshold": 0.5, **scales,
        }
    )  # fmt: skip
    return model.build()


def _sized_by_a_run(graph: GraphBuilder, x: int) -> None:
    zero = graph.constant("zero", np.array(0, np.float32))
    positive = graph.op("GREATER", [x, zero], ("positive", [1, 2], "bool"))
    graph.output(graph.op("WHERE", [positive], ("places", [1, 2], "int64"), signature=[-1, 2]))


def hangs_in_its_run() -> bytes:
    """A size that only a run can tell, and a loop without end before it."""
    return recipes_control.loop("needs a run that never ends", None, _sized_by_a_run)


def crashes_in_its_run() -> bytes:
    """The same with a kernel that aborts before it."""
    model = ModelBuilder("needs a run that aborts")
    graph = model.subgraph("main")
    first = graph.input("first", [1] * 8 + [2])
    second = graph.input("second", [1] * 7 + [2, 1])
    shape = [1] * 7 + [2, 2]
    most = graph.op("MAXIMUM", [first, second], ("most", shape), options=options("MaximumMinimum"))
    _sized_by_a_run(graph, most)
    return model.build()
