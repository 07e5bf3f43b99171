"""A model file for another batch: what pins the batch is found and changed, all else is kept.

Through the object API of the generated schema. Nothing is run here; that the new model computes the same
is proved elsewhere, by running both.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..domain.batch_axis import Shape
from ..domain.graph import Graph
from ..domain.plain_text import plain
from ..domain.rebatch import Change, Port, Ports
from ..domain.whatif import MAX_EXTENT
from ..errors import ModelError
from .batch_follow import follow
from .batch_step import Followed, Key, NotSafe, constant_of, name_of
from .guard import DAMAGE
from .packing import constant, pack, unpack
from .source import mapped

_HINT = "Convert the model again with the batch that you need."
#: Values of a constant up to this many are told; of a longer one, its shape.
_TOLD = 16


@dataclass(frozen=True, slots=True)
class Rewritten:
    """``data``: the new file; ``shapes``: of every tensor in it, for the new batch.

    ``pinned``: whether the old file cannot simply be resized. ``stateful``: whether something is kept from
    one invoke to the next. ``ports``: where the samples are in what a caller reaches.
    """

    data: bytes
    batch: int
    changes: tuple[Change, ...]
    ports: tuple[Ports, ...]
    shapes: Mapping[Key, Shape]
    resized: int
    pinned: bool
    stateful: bool


def rebatched(path: Path, graph: Graph, wanted: int, known: Mapping[Key, Shape]) -> Rewritten:
    """The model at ``path``, described by ``graph``, for a batch of ``wanted``.

    ``known``: shapes as a runtime gave them, where the file's are none or others. Raises ModelError where the
    batch cannot be changed safely, with the operator or the tensor and the reason.
    """
    try:
        with mapped(path) as data:
            content = data[:]
        return _rebatched(content, graph, wanted, known)
    except NotSafe as error:
        raise ModelError(f"The batch of {path.name} cannot be changed: {error}.", hint=_HINT) from error
    except (*DAMAGE, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path.name} cannot be taken apart and put together again.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def _rebatched(content: bytes, graph: Graph, wanted: int, known: Mapping[Key, Shape]) -> Rewritten:
    model = unpack(content)
    shapes = {
        (s.index, t.index): known.get((s.index, t.index), t.shape) for s in graph.subgraphs for t in s.tensors
    }
    # Names by code, as the reader gives them.
    codes = [""] * len(model.operatorCodes or ())
    for part in graph.subgraphs:
        for seen, operator in zip(part.operators, model.subgraphs[part.index].operators or (), strict=True):
            codes[operator.opcodeIndex] = seen.name
    entries = tuple(dict.fromkeys((0, *(s.subgraph for s in graph.signatures))))
    found = follow(model, codes, shapes, entries, wanted)
    sized = dict(shapes)
    for key, mark in found.marks.items():
        sized[key] = mark.resized(shapes[key], wanted)
        if max(sized[key], default=0) > MAX_EXTENT:
            raise NotSafe(
                f"a tensor would have the shape {list(sized[key])}, beyond the runtime's 32 bits",
                tensor=name_of(model.subgraphs[key[0]].tensors[key[1]]),
            )
    ports = _ports(graph, entries, found)
    told = _ports_told(ports, shapes, sized) + _states_told(model, found, shapes, sized)
    pins = _change_options(model, codes, found) + _change_constants(model, codes, shapes, sized, found)
    for key, mark in found.marks.items():
        tensor = model.subgraphs[key[0]].tensors[key[1]]
        tensor.shape = np.array(sized[key], np.int32)
        tensor.hasRank = tensor.hasRank or bool(sized[key])
        signature = tensor.shapeSignature
        if signature is not None and len(signature) == len(sized[key]):
            signature = np.array(signature, np.int32)
            signature[mark.axis] = mark.extent(wanted)
            tensor.shapeSignature = signature
    states = any(c.kind == "state" for c in told)
    return Rewritten(
        data=pack(model, content),
        batch=found.batch,
        changes=(*told, *pins),
        ports=ports,
        shapes=sized,
        resized=sum(sized[key] != shapes[key] for key in found.marks),
        pinned=wanted != found.batch and (bool(pins) or states),
        stateful=any(t.is_variable for s in graph.subgraphs for t in s.tensors),
    )


def _ports(graph: Graph, entries: tuple[int, ...], found: Followed) -> tuple[Ports, ...]:
    ports = []
    for entry in entries:
        part = graph.subgraphs[entry]
        signature = next((s for s in graph.signatures if s.subgraph == entry), None)
        if entry == 0 or signature is None:
            named = [[(part.tensors[i].name, i) for i in side] for side in (part.inputs, part.outputs)]
        else:
            named = [list(signature.inputs), list(signature.outputs)]
        inputs, outputs = (
            tuple(Port(name, i, found.marks.get((entry, i))) for name, i in side) for side in named
        )
        ports.append(Ports(entry, signature.key if entry and signature else None, inputs, outputs))
    return tuple(ports)


def _ports_told(
    ports: tuple[Ports, ...], before: Mapping[Key, Shape], after: Mapping[Key, Shape]
) -> tuple[Change, ...]:
    return tuple(
        Change(kind, part.subgraph, port.name, "", before[part.subgraph, port.tensor], shape)
        for part in ports
        for kind, side in (("input", part.inputs), ("output", part.outputs))
        for port in side
        if (shape := after[part.subgraph, port.tensor]) != before[part.subgraph, port.tensor]
    )


def _states_told(
    model: Any, found: Followed, before: Mapping[Key, Shape], after: Mapping[Key, Shape]
) -> tuple[Change, ...]:
    return tuple(
        Change("state", key[0], name_of(tensor), "", before[key], after[key])
        for key in sorted(found.marks)
        if (tensor := model.subgraphs[key[0]].tensors[key[1]]).isVariable and after[key] != before[key]
    )


def _change_options(model: Any, codes: list[str], found: Followed) -> tuple[Change, ...]:
    told = []
    for (subgraph, index, name), values in sorted(found.options.items(), key=lambda item: item[0]):
        operator = model.subgraphs[subgraph].operators[index]
        old = getattr(operator.builtinOptions, name)
        before = tuple(int(v) for v in (() if old is None else old))
        setattr(operator.builtinOptions, name, np.asarray(values, np.int32))
        label = _label(codes, operator, index)
        told.append(Change("option", subgraph, name, label, before, tuple(int(v) for v in values)))
    return tuple(told)


def _change_constants(
    model: Any,
    codes: list[str],
    shapes: Mapping[Key, Shape],
    sized: dict[Key, Shape],
    found: Followed,
) -> tuple[Change, ...]:
    """Each where it stands if nobody else uses it, else as a copy for those that need it."""
    wanted: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    for subgraph, index, slot in found.constants:
        tensor = int(model.subgraphs[subgraph].operators[index].inputs[slot])
        wanted[subgraph, tensor].append((index, slot))
    buffers = Counter(t.buffer for g in model.subgraphs for t in g.tensors)
    buffers.update(entry.buffer for entry in model.metadata or ())
    told = []
    for (subgraph, number), uses in sorted(wanted.items()):
        graph = model.subgraphs[subgraph]
        tensor, shape = graph.tensors[number], shapes[subgraph, number]
        old = constant_of(model, tensor, shape)
        all_uses = sum(int(i) == number for op in graph.operators for i in _ints(op.inputs))
        all_uses += _ints(graph.outputs).count(number)
        by_value: dict[tuple[Shape, bytes], list[tuple[int, int]]] = defaultdict(list)
        values = {use: found.constants[subgraph, use[0], use[1]] for use in uses}
        for use in uses:
            made = np.asarray(values[use])
            made = made.astype(old.dtype if old is not None else np.int32, copy=False)
            by_value[made.shape, made.tobytes()].append(use)
        for (made_shape, data), group in by_value.items():
            alone = old is not None and len(group) == all_uses and buffers[tensor.buffer] == 1
            if alone:
                changed = tensor
                model.buffers[tensor.buffer] = constant(data)
            else:
                changed = copy.copy(tensor)
                changed.isVariable = False
                changed.buffer = len(model.buffers)
                model.buffers.append(constant(data))
                graph.tensors.append(changed)
            target = number if alone else len(graph.tensors) - 1
            sized[subgraph, target] = made_shape
            changed.shape = np.array(made_shape, np.int32)
            changed.shapeSignature = None
            for index, slot in group:
                inputs = np.array(graph.operators[index].inputs, np.int32)
                inputs[slot] = target
                graph.operators[index].inputs = inputs
                label = _label(codes, graph.operators[index], index)
                told.append(_told(subgraph, tensor, label, shape, old, values[index, slot], alone))
    return tuple(told)


def _told(subgraph: int, tensor: Any, operator: str, shape: Shape, old: Any, new: Any, alone: bool) -> Change:
    new = np.asarray(new)
    note = "" if alone else "a copy: other operators keep the old one"
    told = new.size <= _TOLD and new.dtype.kind in "iu"
    before: Shape = ()
    if old is None:
        note = "a constant in place of what was computed"
        after = tuple(int(v) for v in new.reshape(-1)) if told else new.shape
    elif told and new.shape == shape:
        before, after = (tuple(int(v) for v in values.reshape(-1)) for values in (old, new))
    else:
        before, after = shape, new.shape
        note = "; ".join(filter(None, ("repeated for each sample", note)))
    return Change("constant", subgraph, name_of(tensor), operator, before, after, note)


def _label(codes: list[str], operator: Any, index: int) -> str:
    return f"operator {index} ({plain(codes[operator.opcodeIndex], 60)})"


def _ints(vector: Any) -> list[int]:
    return [] if vector is None else [int(i) for i in vector]
