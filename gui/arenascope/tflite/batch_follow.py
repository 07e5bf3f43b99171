"""Follows the samples of a batch from a model's inputs to its outputs, through the subgraphs it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.batch_axis import Along, Shape
from ..domain.plain_text import plain
from . import batch_rules, batch_shapes
from .batch_step import Again, Followed, Key, NotSafe, Step, name_of
from .names import dtype_name

_RULES = {**batch_rules.RULES, **batch_shapes.RULES}
#: Each round learns of one tensor more; a model that needs as many is not understood.
_MOST_ROUNDS = 200
_DEEPEST = 16

_REASONS = {
    "CUSTOM": "it is a custom operator, of which nothing is known",
    "WHERE": "how many rows it makes depends on all samples together",
    "UNIQUE": "it compares the samples of a batch with one another",
    "NON_MAX_SUPPRESSION_V4": "it takes the boxes of one sample only",
    "NON_MAX_SUPPRESSION_V5": "it takes the boxes of one sample only",
    "ASSIGN_VARIABLE": "it keeps samples in a resource variable, which has no shape in the file",
    "RANDOM_UNIFORM": "it draws random numbers, so two runs cannot be compared",
    "RANDOM_STANDARD_NORMAL": "it draws random numbers, so two runs cannot be compared",
    "MULTINOMIAL": "it draws random numbers, so two runs cannot be compared",
}
_RANDOM = ("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL")


def follow(
    model: Any, codes: list[str], shapes: Mapping[Key, Shape], entries: tuple[int, ...], wanted: int
) -> Followed:
    """Where the samples are in every tensor, and what has to change for a batch of ``wanted``.

    ``codes``: the operators' names by code; ``entries``: the subgraphs that a caller may run. Raises NotSafe.
    """
    batch = batch_of(model, shapes, entries)
    forced: dict[Key, Along] = {}
    for _ in range(_MOST_ROUNDS):
        walk = _Walk(model, codes, dict(shapes), Followed(batch, wanted, forced=forced))
        try:
            for entry in entries:
                walk.entry(entry)
        except Again:
            continue
        return walk.found
    raise NotSafe("the model needs its samples in more places than are followed")


def batch_of(model: Any, shapes: Mapping[Key, Shape], entries: tuple[int, ...]) -> int:
    """The batch that the model has now: the first dimension of all its inputs. Raises NotSafe."""
    found: dict[int, str] = {}
    for entry in entries:
        graph = model.subgraphs[entry]
        for index in _list(graph.inputs):
            tensor, shape = graph.tensors[int(index)], shapes[entry, int(index)]
            if dtype_name(tensor.type) in ("resource", "variant"):
                raise NotSafe("an input is a handle, not samples", tensor=name_of(tensor))
            if tensor.buffer and len(_list(model.buffers[tensor.buffer].data)):
                raise NotSafe("an input is a constant of the file", tensor=name_of(tensor))
            if shape:
                found.setdefault(shape[0], plain(name_of(tensor), 120))
    if not found:
        raise NotSafe("no input of the model has a batch dimension")
    if len(found) > 1:
        (one, first), (two, second) = list(found.items())[:2]
        raise NotSafe(
            f"its inputs begin with different extents ({one} in “{first}”, {two} in “{second}”), so it is "
            "not clear which dimension counts the samples"
        )
    (batch,) = found
    if batch < 1:
        raise NotSafe(f"the first dimension of its inputs is {batch}")
    return batch


class _Walk:
    def __init__(self, model: Any, codes: list[str], shapes: dict[Key, Shape], found: Followed) -> None:
        self._model, self._codes, self._shapes, self.found = model, codes, shapes, found
        self._given: dict[int, tuple[Along | None, ...]] = {}  # what each subgraph was called with
        self._running: list[int] = []

    def entry(self, index: int) -> None:
        inputs = [int(i) for i in _list(self._model.subgraphs[index].inputs)]
        marks = tuple(Along(0) if self._shapes[index, i] else None for i in inputs)
        made = self._called(index, marks)
        if not any(made):
            raise NotSafe("no output of the model depends on the samples")

    def _called(self, index: int, marks: tuple[Along | None, ...]) -> tuple[Along | None, ...]:
        """Marks of a subgraph's outputs, from those of its inputs."""
        if index in self._running or len(self._running) >= _DEEPEST:
            raise NotSafe(f"subgraph {index} runs itself")
        graph = self._model.subgraphs[index]
        if self._given.setdefault(index, marks) != marks:
            raise NotSafe(f"subgraph {index} is run with samples in different places")
        self.found.forget(index)
        self._running.append(index)
        for key, along in self.found.forced.items():
            if key[0] == index:
                self.found.marks[key] = along
        for tensor, mark in zip(_list(graph.inputs), marks, strict=True):
            if mark is not None:
                self._fits(index, int(tensor), mark)
                self.found.marks[index, int(tensor)] = mark
        for number in range(len(_list(graph.operators))):
            self._operator(Step(self._model, self._codes, self._shapes, self.found, index, number))
        self._running.pop()
        return tuple(self.found.marks.get((index, int(i))) for i in _list(graph.outputs))

    def _fits(self, subgraph: int, tensor: int, mark: Along) -> None:
        shape = self._shapes[subgraph, tensor]
        if not mark.fits(shape, self.found.batch):
            raise NotSafe(
                f"an input of subgraph {subgraph} has the shape {list(shape)}, without room for the samples",
                tensor=name_of(self._model.subgraphs[subgraph].tensors[tensor]),
            )

    def _operator(self, step: Step) -> None:
        """A model is not to be trusted: an operator may lack inputs, dimensions or options."""
        try:
            self._ruled(step)
        except (IndexError, ZeroDivisionError, ValueError, TypeError, OverflowError):
            step.refuse("its inputs, outputs and options do not fit together")

    def _ruled(self, step: Step) -> None:
        name = step.name
        if name in ("WHILE", "IF"):
            (self._while if name == "WHILE" else self._if)(step)
            return
        if name in _RANDOM:
            step.refuse(_REASONS[name])
        if name in batch_shapes.WITHOUT_SAMPLES:
            _RULES[name](step)
            return
        if not step.marked():
            if batch_shapes.computed(step):
                return
            slots = range(len(step.inputs))
            follows = [i for i in slots if (b := _known(step, i)) is not None and not b.same]
            if follows:
                step.refuse(
                    "it computes with the number of samples in a way that is not followed", follows[0]
                )
            return
        rule = _RULES.get(name)
        if rule is None:
            custom = "CUSTOM" if self._is_custom(step) else name
            reason = _REASONS.get(custom, "whether it keeps the samples of a batch apart is not known")
            step.refuse(reason, step.marked()[0])
        rule(step)

    def _is_custom(self, step: Step) -> bool:
        code = self._model.operatorCodes[step.operator.opcodeIndex]
        return code.customCode is not None

    def _while(self, step: Step) -> None:
        """The marks of the loop's values, until they stay the same from one round to the next."""
        body, cond = int(step.option("bodySubgraphIndex")), int(step.option("condSubgraphIndex"))
        self._only_numbers(step)
        marks = tuple(step.mark(slot) for slot in range(len(step.inputs)))
        while True:
            self._given.pop(body, None)
            made = self._called(body, marks)
            if made == marks:
                break
            for slot, (had, has) in enumerate(zip(marks, made, strict=True)):
                if had is None and has is not None:
                    step.require(slot, has)
                elif had != has:
                    step.refuse("the body of the loop loses the samples of a value, or moves them", slot)
            marks = made
        self._given.pop(cond, None)
        if any(self._called(cond, marks)):
            step.refuse("how long the loop goes on depends on the samples, which may need different times")
        for slot, mark in enumerate(made):
            step.give(mark, slot)

    def _if(self, step: Step) -> None:
        if step.mark(0) is not None:
            step.refuse("which branch is taken depends on the samples", 0)
        self._only_numbers(step)
        marks = tuple(step.mark(slot) for slot in range(1, len(step.inputs)))
        branches = [
            self._called(int(step.option(name)), marks) for name in ("thenSubgraphIndex", "elseSubgraphIndex")
        ]
        if branches[0] != branches[1]:
            step.refuse("its two branches have the samples in different places")
        for slot, mark in enumerate(branches[0]):
            step.give(mark, slot)

    def _only_numbers(self, step: Step) -> None:
        for slot in range(len(step.inputs)):
            known = _known(step, slot)
            if known is not None and not known.same:
                step.refuse("the number of samples itself goes into a subgraph", slot)


def _known(step: Step, slot: int) -> Any:
    """Values that were computed from shapes, not those of a constant."""
    return step.found.values.get((step.subgraph, step.inputs[slot])) if step.has(slot) else None


def _list(vector: Any) -> Any:
    return () if vector is None else vector
