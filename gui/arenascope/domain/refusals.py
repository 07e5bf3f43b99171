"""Why a model does not take the shapes it was given: the runtime's words → a sentence about its operator.

The text ends with "Node number 64 (RESHAPE) failed to prepare.", after the text of the check that failed;
where the operator stands in the body of a loop, the loop's own line follows. What the check says is about
C++; what people can act on is in the graph: a constant of a fixed size, a state tensor, two inputs that do
not fit together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from .graph import Graph, Operator, Subgraph, Tensor
from .plain_text import plain
from .reading import RawSubgraph
from .shapes import ShapeRefusal

_FAILED = re.compile(r"Node number (\d+) \(([^()]*(?:\([^()]*\))?[^()]*)\) failed to (?:prepare|invoke)\.?")
_PAIR = re.compile(r"\((-?\d+) != (-?\d+)\)")
_IM2COL = re.compile(r"im2col elements \((\d+)\) exceed")
_OVERFLOW = re.compile(r"overflow|exceed the 32-bit|numeric_limits|is invalid or size", re.IGNORECASE)
_NO_MEMORY = ("bad_alloc", "Unable to allocate")
_FITTING = frozenset(
    ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "FLOOR_DIV", "FLOOR_MOD", "POW", "SQUARED_DIFFERENCE",
     "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL", "LOGICAL_AND", "LOGICAL_OR",
     "SELECT", "SELECT_V2", "WHERE", "BROADCAST_TO", "BROADCAST_ARGS", "PRELU", "BATCH_MATMUL", "ATAN2")
)  # fmt: skip
_DETECTION = "DETECTIONPOSTPROCESS"
_ONE_PICTURE = "the detection post-processing, works on one image at a time (batch 1)"

Shape = tuple[int, ...]


def is_out_of_memory(said: str, error: str) -> bool:
    """Whether the runtime only had no memory for its arena, with all shapes set: LiteRT says nothing then."""
    return not said or (error == "MemoryError" and "failed to prepare" not in said)


def diagnose(said: str, graph: Graph, reading: Sequence[RawSubgraph] = ()) -> ShapeRefusal:
    """The first operator that refused, and why. ``reading``: the shapes as far as they came."""
    subgraph, operator = _first(said, graph)
    if operator is None:
        return ShapeRefusal(_without_operator(said), said, subgraph.index, too_large=_is_of_size(said))
    shapes = _shapes(subgraph, reading)
    words, tensor = _reason(said, subgraph, operator, shapes)
    return ShapeRefusal(
        reason=words,
        said=said,
        subgraph=subgraph.index,
        operator=operator.index,
        operator_name=operator.name,
        tensor=None if tensor is None else tensor.index,
        tensor_name="" if tensor is None else tensor.name,
        too_large=_is_of_size(said),
    )


def overflow(reading: Sequence[RawSubgraph], graph: Graph) -> ShapeRefusal | None:
    """The first tensor whose dimensions passed 32 bits unseen: negative, or fewer than its operator reads."""
    for raw in reading[:1]:
        tensors = {t.index: t for t in raw.tensors}
        for operator in graph.main.operators:
            for index in operator.outputs:
                tensor = tensors.get(index)
                if tensor is None or tensor.shape is None or min(tensor.shape, default=0) >= 0:
                    continue
                return ShapeRefusal(
                    reason=f"{plain(operator.name, 60)} (operator {operator.index}) makes the shape "
                    f"{list(tensor.shape)}: a dimension has passed what 32 bits can count.",
                    said="",
                    operator=operator.index,
                    operator_name=operator.name,
                    tensor=index,
                    tensor_name=tensor.name,
                    too_large=True,
                )
    return None


def _is_of_size(said: str) -> bool:
    """Whether only the size is refused: the same model takes smaller shapes."""
    return any(pattern.search(said) for pattern in (_IM2COL, _OVERFLOW)) or any(w in said for w in _NO_MEMORY)


def in_a_run(graph: Graph, reading: Sequence[RawSubgraph]) -> ShapeRefusal | None:
    """The first operator that prepares for these shapes and refuses when it runs: the post-processing of
    detection models, which makes one picture's results whatever it gets."""
    for subgraph in graph.subgraphs[: len(reading)]:
        shapes = _shapes(subgraph, reading)
        for operator in subgraph.operators:
            if not _detects(operator.name) or not operator.inputs:
                continue
            boxes = subgraph.tensors[operator.inputs[0]]
            if shapes[boxes.index][:1] in ((), (1,)):
                continue
            return ShapeRefusal(
                reason=f"{_who(operator)}, {_ONE_PICTURE}; it gets {_named(boxes)} "
                f"{list(shapes[boxes.index])} and refuses when it runs.",
                said="",
                subgraph=subgraph.index,
                operator=operator.index,
                operator_name=operator.name,
                tensor=boxes.index,
                tensor_name=boxes.name,
            )
    return None


def _detects(name: str) -> bool:
    return _DETECTION in name.upper().replace("_", "")


def _who(operator: Operator) -> str:
    return f"{plain(operator.name, 60)} (operator {operator.index})"


def _first(said: str, graph: Graph) -> tuple[Subgraph, Operator | None]:
    """The innermost operator of the last failure: its line comes before those of the loops around it."""
    lines = list(_FAILED.finditer(said))
    subgraph, operator = graph.main, None
    end = len(said)
    for line in reversed(lines):
        if said[line.end() : end].strip():
            break  # words in between: a failure before this one
        within = [graph.main] if operator is None else [graph.subgraphs[i] for i in operator.subgraphs]
        number, name = int(line[1]), line[2]
        for candidate in within:
            if number < len(candidate.operators) and _is_called(candidate.operators[number], name):
                subgraph, operator = candidate, candidate.operators[number]
                break
        else:
            break
        end = line.start()
    return subgraph, operator


def _is_called(operator: Operator, name: str) -> bool:
    return operator.name == name or operator.name.upper() == name.upper() or not operator.name


def _shapes(subgraph: Subgraph, reading: Sequence[RawSubgraph]) -> dict[int, Shape]:
    """Shapes at the moment of the failure; the file's where they were not read."""
    shapes = {tensor.index: tensor.shape for tensor in subgraph.tensors}
    for raw in reading:
        if raw.index == subgraph.index:
            shapes.update({t.index: t.shape for t in raw.tensors if t.shape is not None})
    return shapes


def _reason(
    said: str, subgraph: Subgraph, operator: Operator, shapes: Mapping[int, Shape]
) -> tuple[str, Tensor | None]:
    who = _who(operator)
    inputs = [subgraph.tensors[i] for i in operator.inputs if 0 <= i < len(subgraph.tensors)]
    outputs = [subgraph.tensors[i] for i in operator.outputs if 0 <= i < len(subgraph.tensors)]
    constant = next((t for t in inputs if t.is_constant and t.shape), None)
    state = next((t for t in inputs if t.is_variable), None)
    first = inputs[0] if inputs else None
    if any(words in said for words in _NO_MEMORY):
        return f"{who} needs more memory than this computer can give for finding its shapes.", None
    if found := _IM2COL.search(said):
        return (
            f"{who} would need a scratch tensor of {int(found[1]):,} elements for its im2col; this runtime "
            f"counts them in 32 bits, so 2,147,483,647 is the most.",
            outputs[0] if outputs else None,
        )
    if _OVERFLOW.search(said):
        return (
            f"{who} makes a tensor that is too large for the runtime's counters from "
            f"{_listed(inputs[:2], shapes)}.",
            outputs[0] if outputs else None,
        )
    if state is not None:
        return (
            f"{who} keeps its state in {_named(state)}, a variable of the fixed shape {list(state.shape)}: "
            f"the batch of such a model can only be changed in its file.",
            state,
        )
    if operator.name == "RESHAPE" and "num_output_elements" in said and first is not None and outputs:
        return _reshape(said, who, first, inputs, outputs[0])
    if _detects(operator.name):
        return f"{who}, {_ONE_PICTURE}.", first
    if operator.name == "CONCATENATION":
        return f"{who} cannot join its inputs: {_listed(inputs, shapes)}.", _odd_one_out(inputs, shapes)
    if operator.name == "FULLY_CONNECTED" and len(inputs) > 1 and first is not None:
        weights = inputs[1]
        return (
            f"{who} has weights for {weights.shape[-1]:,} inputs each, {_named(weights)} "
            f"{list(weights.shape)}; {_named(first)} is {list(shapes[first.index])} with these shapes, "
            f"which is no multiple of it.",
            weights,
        )
    if operator.name in _FITTING or "broadcast" in said:
        fixed = constant or next((t for t in inputs if shapes[t.index] == t.shape), None)
        because = f"; {_named(fixed)} has a fixed size" if fixed is constant and fixed is not None else ""
        return f"{who} has inputs that do not fit together: {_listed(inputs, shapes)}{because}.", fixed
    if operator.subgraphs:
        return f"{who} does not take these shapes: {_listed(inputs, shapes)}{_pair(said)}.", first
    if constant is not None:
        return (
            f"{who} does not take {_listed(inputs[:1], shapes)} together with {_named(constant)}, a constant "
            f"of the fixed shape {list(constant.shape)}{_pair(said)}.",
            constant,
        )
    return f"{who} does not take these shapes: {_listed(inputs, shapes)}{_pair(said)}.", first


def _reshape(
    said: str, who: str, first: Tensor, inputs: Sequence[Tensor], output: Tensor
) -> tuple[str, Tensor | None]:
    target = next((t for t in inputs[1:] if t.is_constant), None)
    found = _PAIR.search(said)
    now = f"{int(found[1]):,}" if found else "another number"
    wanted = math.prod(output.shape)
    return (
        f"{who} makes the fixed shape {list(output.shape)} of {wanted:,} elements; "
        f"{_named(first)} has {now} with these shapes.",
        target if target is not None else output,
    )


def _odd_one_out(inputs: Sequence[Tensor], shapes: Mapping[int, Shape]) -> Tensor | None:
    """The input that kept the file's shape while another one changed."""
    return next((t for t in inputs if shapes[t.index] == t.shape), inputs[0] if inputs else None)


def _named(tensor: Tensor) -> str:
    return f"“{plain(tensor.name, 80)}”" if tensor.name else f"tensor {tensor.index}"


def _listed(tensors: Sequence[Tensor], shapes: Mapping[int, Shape]) -> str:
    listed = [f"{_named(t)} {list(shapes[t.index])}" for t in tensors[:4]]
    more = f" and {len(tensors) - 4} more" if len(tensors) > 4 else ""
    return (", ".join(listed) or "no inputs") + more


def _pair(said: str) -> str:
    """The two numbers that the failed check compares, where it has some."""
    found = _PAIR.search(said)
    return f" ({int(found[1]):,} instead of {int(found[2]):,})" if found else ""


def _without_operator(said: str) -> str:
    if "fixed-size tensor" in said:
        return "One of the inputs is a constant in the file, and its shape cannot be changed."
    if _OVERFLOW.search(said):
        return "An input of this shape has more elements than the runtime can count."
    return f"The runtime refused: {plain(said, 300)}"
