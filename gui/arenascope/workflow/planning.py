"""Plans: what this computer's runtime makes of the shapes, and what the planner makes of that.

``Planning`` keeps a process of the runtime, and the answers it gave: only a change of shapes asks it again.
For a sweep it works on the next shapes while this process plans.
"""

from __future__ import annotations

import platform
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ..domain import following, planner, refusals, size_limits
from ..domain.capture import ModelFacts
from ..domain.graph import Graph, Tensor
from ..domain.layout import Kind, MemoryLayout
from ..domain.plain_text import plain
from ..domain.plan import Plan, Planned
from ..domain.profiles import MACHINES, RuntimeProfile, by_name, delegates, machine_of, nearest, of_runtime
from ..domain.shapes import Delegation, ShapeRefusal, Shapes
from ..domain.totals import planned_totals
from ..domain.units import format_bytes
from ..domain.whatif import WhatIf, check_knobs, input_shapes
from ..errors import InputError, ShapeError, UsageError
from ..remote.shapes import Answer, Divide, Question, Refused, ShapeService
from ..tflite.notes import notes as notes_of
from ..tflite.reader import read_model
from .events import Step
from .jobs import CancelToken, check_time_limit

#: Seconds that the runtime may take for one set of shapes, a run with zeros included.
DEFAULT_LIMIT = 30.0
#: ``RawSubgraph.source`` of a reading with everything in it.
FROM_RECORDS = "runtime structures"
#: Answers that are kept: what-if goes back and forth between few shapes.
_KEPT = 64

_Inputs = dict[int, tuple[int, ...]]
T = TypeVar("T")
_NOTHING = Planned(MemoryLayout((), (), ()))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One WhatIf: the shapes that differ from the file's, by tensor index, and under which names the
    answers about them are kept."""

    asked: WhatIf
    inputs: _Inputs
    shapes: object
    divide: Divide | None
    division: object


class Planning:
    """Close it, or use it in a ``with``. One plan at a time; a cancel may come from any thread."""

    def __init__(self, *, limit: float = DEFAULT_LIMIT) -> None:
        """``limit``: seconds for one set of shapes. Raises UsageError for one that cannot be meant."""
        check_time_limit(limit)
        self._limit = limit
        self._service = ShapeService()
        self._shapes: OrderedDict[object, Shapes | ShapeRefusal] = OrderedDict()
        self._divisions: OrderedDict[object, Delegation | None] = OrderedDict()
        self._notes: OrderedDict[object, tuple[str, ...]] = OrderedDict()

    def start(self) -> None:
        """Begin to load the runtime: it takes a tenth of a second, in a process of its own."""
        self._service.start()

    def runtime(self, cancel: CancelToken | None = None) -> tuple[str, str]:
        """Package and version of this computer's runtime. BoardError where there is none."""
        return self._service.runtime(cancel)

    def here(self, cancel: CancelToken | None = None) -> RuntimeProfile:
        """The rules of this computer's runtime, or of the newest one before it that is known."""
        package, version = self.runtime(cancel)
        profile = nearest(package, version)
        if profile is None:
            raise UsageError(
                f"The planner knows no rules for {package} {version}, the runtime of this computer.",
                hint="Name one that it knows with --runtime, for example --runtime litert-2.3.",
            )
        return profile

    def plan(
        self,
        model: Path,
        graph: Graph,
        asked: WhatIf,
        profile: RuntimeProfile,
        machine: str,
        delegation: Delegation | None = None,
        cancel: CancelToken | None = None,
    ) -> Plan:
        """Raises UsageError for the request, InputError for a model that the runtime cannot take at all.

        A model that does not take these shapes is ``Plan.refusal``. ``delegation``: how a device's runtime
        divides the model; without it this computer's is asked where the delegate matters.
        """
        return next(self.plan_many(model, graph, (asked,), profile, machine, delegation, cancel))

    def plan_many(
        self,
        model: Path,
        graph: Graph,
        asked: Iterable[WhatIf],
        profile: RuntimeProfile,
        machine: str,
        delegation: Delegation | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[Plan]:
        """One plan for each, in their order."""
        model = model.resolve()
        pending: deque[tuple[_Wanted, bool]] = deque()  # and whether the runtime is asked about it

        def unknown() -> Iterator[Question]:
            divisions = set(self._divisions)
            for one in asked:
                wanted = _wanted(model, graph, one, profile, machine, delegation)
                divide = None if wanted.division in divisions else wanted.divide
                divisions.add(wanted.division)
                ask = divide is not None or not self._remembered(wanted)
                pending.append((wanted, ask))
                if ask:
                    yield Question(wanted.inputs, divide)

        def planned(wanted: _Wanted) -> Plan:
            if cancel is not None:
                cancel.raise_if_cancelled()
            return self._planned(model, graph, wanted, profile, machine, delegation)

        for answer in self._service.shapes(model, unknown(), self._limit, cancel):
            while not pending[0][1]:
                yield planned(pending.popleft()[0])
            wanted, _ = pending.popleft()
            self._take(wanted, graph, answer)
            yield planned(wanted)
        while pending:
            yield planned(pending.popleft()[0])

    def close(self) -> None:
        self._service.close()

    def __enter__(self) -> Planning:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ----------------------------------------------------------------------------------- the answers

    def _remembered(self, wanted: _Wanted) -> bool:
        if wanted.shapes not in self._shapes:
            return False
        self._shapes.move_to_end(wanted.shapes)  # not forgotten before it is used
        return True

    def _take(self, wanted: _Wanted, graph: Graph, answer: Answer) -> None:
        """Keep what an answer says. InputError for a model that the runtime cannot take at all."""
        if answer.ended is not None and (answer.ended_in != "invoke" or not answer.allocated):
            raise self._crash(graph, answer)
        if answer.refused is not None and (
            answer.refused.step == "load" or "unresolved" in answer.refused.said
        ):
            raise InputError(
                f"{plain(graph.name)} cannot be used by the runtime: {plain(answer.refused.said, 300)}",
                hint="Convert the model again, for the runtime that is installed here.",
            )
        _keep(self._shapes, wanted.shapes, _shapes_of(answer, graph, wanted.inputs, self._from()))
        if answer.divided or answer.undivided is not None:
            divided = None  # it could not be, or its nodes could not be read
            if answer.undivided is None and all(raw.nodes is not None for raw in answer.divided or ()):
                parts = ((raw.index, raw.running) for raw in answer.divided or ())
                divided = Delegation.of(parts, self._from())
            _keep(self._divisions, wanted.division, divided)

    def _crash(self, graph: Graph, answer: Answer) -> InputError:
        ended = answer.ended
        assert ended is not None
        doing = "divides it for the delegate" if answer.ended_in == "divide" else "prepares it"
        if ended.timed_out:
            how = f"does not come to an end within {self._limit:g} s while it {doing}"
            hint = "Give it more time with --timeout, or plan with smaller shapes."
        else:
            how = f"crashes ({ended.signal or 'it ends by itself'}) while it {doing}"
            hint = "The file is damaged or made for another runtime; convert it again."
        if answer.ended_in == "divide":
            hint = "Plan it without the delegate: --delegate none"
        return InputError(
            f"The runtime of this computer {how}: {plain(graph.name)}.", hint=hint, detail=ended.detail
        )

    def _from(self) -> str:
        package, version = self._service.known_runtime
        return f"{package} {version} on this computer"

    # ------------------------------------------------------------------------------------- the plan

    def _planned(
        self,
        model: Path,
        graph: Graph,
        wanted: _Wanted,
        profile: RuntimeProfile,
        machine: str,
        delegation: Delegation | None,
    ) -> Plan:
        shapes = self._shapes[wanted.shapes]
        empty = Plan(
            model=ModelFacts.of(graph),
            asked=wanted.asked,
            inputs={t.name: wanted.inputs.get(t.index, t.shape) for t in _inputs_of(graph)},
            profile=profile,
            machine=machine,
            planned=_NOTHING,
            totals=planned_totals(_NOTHING.layout, graph),
            shapes_from=self._from(),
            notes=(*self._notes_of(model, graph), *self._unknown_version()),
        )
        if isinstance(shapes, ShapeRefusal):
            return replace(empty, refusal=self._as_planned(shapes, wanted.asked, profile, machine))
        divided, division_notes = self._division(wanted, shapes, graph, profile, machine, delegation)
        planned = planner.plan(
            graph,
            shapes,
            profile,
            machine=machine,
            threads=wanted.asked.threads,
            preserve_all=wanted.asked.preserve_all,
            delegation=divided,
        )
        refusal = size_limits.refusal(planned.layout, machine)
        if refusal is not None:
            return replace(empty, refusal=refusal)
        nodes = None if divided is None else divided.plans.get(0)
        left = None if nodes is None else {node.index for node in nodes if not node.delegate}
        stops = following.note(graph, shapes.allocated[0], wanted.inputs, left)
        return replace(
            empty,
            planned=planned,
            totals=planned_totals(planned.layout, graph),
            delegation="" if divided is None else divided.source,
            exact=not planned.unknown and shapes.invoked is None,
            notes=(*empty.notes, *shapes.notes, *division_notes, *((stops,) if stops else ())),
        )

    def _as_planned(
        self, refusal: ShapeRefusal, asked: WhatIf, profile: RuntimeProfile, machine: str
    ) -> ShapeRefusal:
        """A size that the kernels here cannot count may be none for a delegate, or for other kernels."""
        delegated = (
            asked.delegate == "default" and delegates(profile, machine) and refusal.operator is not None
        )
        if not refusal.too_large or (self._is_here(profile, machine) and not delegated):
            return refusal
        who = "the delegate" if delegated else f"{profile.name} on {machine}"
        return replace(
            refusal,
            reason=f"{refusal.reason} So says {self._from()}, without a delegate; {who} may take it.",
            certain=False,
        )

    def _division(
        self,
        wanted: _Wanted,
        shapes: Shapes,
        graph: Graph,
        profile: RuntimeProfile,
        machine: str,
        given: Delegation | None,
    ) -> tuple[Delegation | None, tuple[str, ...]]:
        """How the model is divided for the delegate, None where it is not; and what is to be said of it."""
        asked = wanted.asked
        if asked.delegate != "default":
            return None, ()
        if not delegates(profile, machine):
            return None, (f"{profile.name} on {machine} has no delegate: planned with its own kernels.",)
        if asked.preserve_all and not profile.xnnpack_preserving:
            return None, (f"{profile.name} uses no delegate where all tensors are to be preserved.",)
        dynamic = any(
            t.kind is Kind.DYNAMIC
            and t.index < len(graph.subgraphs[s.index].tensors)  # scratch does not count
            for s in shapes.allocated
            for t in s.tensors
        )
        if dynamic and not profile.xnnpack_dynamic:
            return None, (
                f"{profile.name} refuses the delegate for this model, because it has tensors whose size "
                f"only a run can tell: planned with its own kernels.",
            )
        if given is not None and not given.plans:
            return None, (f"{given.source} leaves no operator to a delegate: planned with its own kernels.",)
        divided = given if given is not None else self._divisions.get(wanted.division)
        if divided is None:
            return None, ("How the delegate divides the model is not known: planned with the kernels alone.",)
        if given is None and not self._is_here(profile, machine):
            return divided, (
                f"The model is divided for the delegate as {divided.source} does it; {profile.name} on "
                f"{machine} may divide it otherwise.",
            )
        return divided, ()

    def _is_here(self, profile: RuntimeProfile, machine: str) -> bool:
        return (
            of_runtime(*self._service.known_runtime) == profile and machine_of(platform.machine()) == machine
        )

    def _unknown_version(self) -> tuple[str, ...]:
        package, version = self._service.known_runtime
        if of_runtime(package, version) is not None:
            return ()
        return (
            f"The runtime of this computer, {package} {version}, is none that the planner was tried with: "
            f"the places of the tensors may be others there.",
        )

    def _notes_of(self, model: Path, graph: Graph) -> tuple[str, ...]:
        key = (model, graph.sha256)
        if key not in self._notes:
            _keep(self._notes, key, notes_of(model, graph))
        return self._notes[key]


def plan_model(
    model: Path,
    asked: WhatIf,
    *,
    runtime: str | None = None,
    machine: str | None = None,
    limit: float = DEFAULT_LIMIT,
    tell: Callable[[Step], None] = lambda event: None,
    cancel: CancelToken | None = None,
) -> Plan:
    """One plan alone, for ``runtime`` (a name of a profile) and ``machine``; None: those of this computer.

    Raises what ``Planning.plan`` raises.
    """
    check_knobs(asked)
    profile = None if runtime is None else by_name(runtime)
    machine = this_machine() if machine is None else checked_machine(machine)
    with Planning(limit=limit) as planning:
        graph = read_model(model)
        tell(Step("Asking the runtime for the shapes"))
        return planning.plan(model, graph, asked, profile or planning.here(cancel), machine, cancel=cancel)


def refused(plan: Plan) -> ShapeError | None:
    """The error for who can do nothing with a plan that holds only a refusal."""
    if plan.refusal is None:
        return None
    return ShapeError(
        f"{plain(plan.model.name)} does not take these shapes: {plan.refusal.reason}",
        detail=plan.refusal.said,
    )


def checked_machine(name: str) -> str:
    """``name``, if the planner knows rules for it. UsageError otherwise."""
    if name not in MACHINES:
        raise UsageError(f"There is no machine {name!r}.", hint=f"Known: {', '.join(MACHINES)}.")
    return name


def this_machine() -> str:
    """This computer as the planner names machines. UsageError for one that it does not know."""
    machine = machine_of(platform.machine())
    if machine is None:
        raise UsageError(
            f"The planner knows no rules for this computer's machine, {platform.machine()}.",
            hint=f"Name the board's with --machine: {', '.join(MACHINES)}.",
        )
    return machine


def _inputs_of(graph: Graph) -> list[Tensor]:
    return [graph.main.tensors[index] for index in graph.main.inputs if index >= 0]


def _wanted(
    model: Path, graph: Graph, asked: WhatIf, profile: RuntimeProfile, machine: str, given: Delegation | None
) -> _Wanted:
    check_knobs(asked)
    file = {t.index: t.shape for t in _inputs_of(graph)}
    inputs = {i: shape for i, shape in input_shapes(graph, asked).items() if shape != file[i]}
    name = (model, graph.sha256)
    divide = None
    delegated = asked.delegate == "default" and delegates(profile, machine) and given is None
    if delegated and (profile.xnnpack_preserving or not asked.preserve_all):
        # A larger batch alone does not change what a delegate takes: the file's shapes cost less memory.
        batch = all(shape[1:] == file[i][1:] for i, shape in inputs.items())
        divide = Divide({} if batch else inputs, asked.preserve_all)
    return _Wanted(
        asked,
        inputs,
        (*name, tuple(sorted(inputs.items()))),
        divide,
        None if divide is None else (*name, tuple(sorted(divide.inputs.items())), divide.preserve_all),
    )


def _shapes_of(answer: Answer, graph: Graph, inputs: _Inputs, source: str) -> Shapes | ShapeRefusal:
    """What the runtime made of the shapes, or why it did not take them."""
    refused = answer.refused
    notes: tuple[str, ...] = ()
    if refused is not None:
        ran = refused.step == "invoke"
        if not ran and not refusals.is_out_of_memory(refused.said, refused.error):
            return refusals.diagnose(refused.said, graph, answer.allocated)
        if ran and refused.runs_unchanged and refused.said:
            return refusals.diagnose(refused.said, graph, answer.allocated)
        if ran:
            notes = (_no_run(refused),)
    elif answer.ended is not None:
        how = "did not come to an end" if answer.ended.timed_out else f"crashed ({answer.ended.signal})"
        notes = (f"A run with zeros, to learn the sizes that only a run can tell, {how}: they are unknown.",)
    elif answer.invoked is not None:
        notes = (
            "Some sizes depend on values and were taken from a run with zeros on this computer: "
            "other inputs may need more.",
        )
    refusal = refusals.overflow(answer.allocated, graph) or refusals.in_a_run(graph, answer.allocated)
    if refusal is not None:
        return refusal
    if any(subgraph.source != FROM_RECORDS for subgraph in answer.allocated):
        notes += (
            "Sizes were read through the public interface of this computer's runtime, which does not show "
            "scratch tensors: there may be more.",
        )
    return Shapes(
        runtime=source.partition(" on ")[0],
        inputs={t.name: inputs.get(t.index, t.shape) for t in _inputs_of(graph)},
        allocated=answer.allocated,
        invoked=answer.invoked,
        notes=notes,
    )


def _no_run(refused: Refused) -> str:
    if refused.wanted is not None and refused.available is not None:
        return (
            f"The sizes that only a run can tell are unknown: it would take {format_bytes(refused.wanted)}, "
            f"and this computer has {format_bytes(refused.available)} available."
        )
    why = plain(refused.said, 300) or "there was not enough memory"
    return f"A run with zeros, to learn the sizes that only a run can tell, failed ({why}): they are unknown."


def _keep(kept: OrderedDict[object, T], key: object, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)
