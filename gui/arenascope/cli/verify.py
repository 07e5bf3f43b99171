"""``arenascope verify-planner``: plans held against what runtimes really do, model by model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.plain_text import plain
from . import options

if TYPE_CHECKING:
    from ..domain.verification import Difference, Verified
    from ..domain.whatif import WhatIf
    from ..workflow.connect import Device

DIFFERS = 7
#: The exit code of a file that cannot be used.
NOTHING_COMPARED = 3
_NAME = 60


def verify_planner(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", readable=False, help="Where the .tflite files are.")
    ],
    devices: Annotated[
        list[str] | None,
        typer.Option("--device", "-d", metavar="NAME", help="A board to compare with; may be repeated."),
    ] = None,
    pythons: Annotated[
        list[Path] | None,
        typer.Option(
            "--python",
            metavar="PATH",
            help="A Python of this computer with a runtime in it; may be repeated.",
        ),
    ] = None,
    batches: Annotated[str, typer.Option("--batches", metavar="1,3,8", help="Batches to compare.")] = "1,3,8",
    threads: Annotated[
        str,
        typer.Option("--threads", metavar="1,4", help="Numbers of threads; 'default' for the runtime's own."),
    ] = "1,4",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Compare plans with what runtimes do: every tensor's place, in every batch, with and without threads,
    with all tensors preserved, and with the default delegate. Exit code 7 where one differs.
    """
    from ..workflow.planning import Planning
    from ..workflow.verification import Knobs, models_in, verify
    from .batches import parse_batches
    from .session import stop_on_interrupt

    knobs = Knobs(tuple(parse_batches(batches)), parse_threads(threads))
    models = models_in(folder)
    found: list[tuple[Device, Verified]] = []
    with Planning() as planning, stop_on_interrupt() as cancel:
        for device in _each(devices or [], pythons or [], quiet=quiet):
            with device:
                for verified in verify(device, models, knobs, planning, cancel):
                    found.append((device, verified))
                    if not as_json:
                        for line in lines(device, verified):
                            typer.echo(line)
    if as_json:
        options.print_json(
            {"schema": "arenascope.verification/1", "results": [_json(d, v) for d, v in found]}
        )
    if not any(verified.compared for _, verified in found):
        return NOTHING_COMPARED
    return 0 if all(verified.exact for _, verified in found) else DIFFERS


def parse_threads(text: str) -> tuple[int | None, ...]:
    """'1,4,default' → (1, 4, None). Raises UsageError."""
    from ..domain.whatif import WhatIf, check_knobs
    from ..errors import UsageError

    found: list[int | None] = []
    for part in (p.strip() for p in text.split(",")):
        if part == "default":
            found.append(None)
        elif part.isascii() and part.isdigit():
            check_knobs(WhatIf(threads=int(part)))
            found.append(int(part))
        else:
            raise UsageError(
                f"--threads {text!r}: {part!r} is no number of threads.",
                hint="For example: --threads 1,4,default",
            )
    return tuple(dict.fromkeys(found))


def _each(devices: list[str], pythons: list[Path], *, quiet: bool) -> Iterator[Device]:
    """The devices one after the other; this computer's own runtime where none is named."""
    from ..workflow.connect import connect, connect_python
    from . import progress, prompts

    for python in pythons:
        yield connect_python(python)
    for target in devices or ([] if pythons else ["local"]):
        with progress.reporter(quiet=quiet) as report:
            device = connect(target, prompts.terminal(), report, probe_runtime=True)
        yield device


def lines(device: Device, verified: Verified) -> Iterator[str]:
    """One line, and one more for the first that differs."""
    who = (
        f"{plain(verified.model, _NAME)}, {plain(device.board.runtime_text, 80)} on {plain(device.name, 200)}"
    )
    if verified.problem:
        yield f"{who}: not compared: {plain(verified.problem, 300)}"
        return
    compared = len(verified.compared)
    parts = []
    if verified.different:
        wrong = sum(1 for _, comparison in verified.compared if not comparison.exact)
        parts.append(
            f"NOT exact: {verified.different:,} of {verified.tensors:,} tensors differ, "
            f"in {wrong} of {compared} cases"
        )
    elif compared:
        parts.append(f"exact: {verified.tensors - verified.unknown:,} tensors in {compared} cases")
    if verified.unknown:
        parts.append(f"{verified.unknown:,} not known before a run")
    if verified.refused:
        parts.append(f"{verified.refused} cases refused by the model")
    if verified.disagreements:
        parts.append(f"{len(verified.disagreements)} cases differ in what the model takes")
    yield f"{who}: {', '.join(parts) or 'nothing to compare'}"
    first = next((d for _, c in verified.compared for d in c.differences), None)
    if first is not None:
        asked = next(a for a, c in verified.compared if first in c.differences)
        yield f"    first: {_difference(first)} with {_case(asked)}"
    for asked, why in verified.disagreements[:1]:
        yield f"    first: with {_case(asked)}: {plain(why, 300)}"


def _difference(one: Difference) -> str:
    name = f" {plain(one.name, _NAME)!r}" if one.name else ""
    where = f"tensor {one.tensor}{name}" + (f" of subgraph {one.subgraph}" if one.subgraph else "")
    return f"{where}: planned {_place(one.planned)}, there {_place(one.real)}"


def _place(place: tuple[Any, int, int] | None) -> str:
    return "nowhere" if place is None else f"{place[2]:,} B at {place[1]:,} in {place[0].value}"


def _case(asked: WhatIf) -> str:
    from .tables import runtime_knobs

    batch = "its own shapes" if asked.batch is None else f"batch {asked.batch}"
    return f"{batch}, {runtime_knobs(asked.threads, asked.delegate, preserve_all=asked.preserve_all)}"


def _json(device: Device, verified: Verified) -> dict[str, Any]:
    board = device.board
    return {
        "model": verified.model,
        "device": device.name,
        "machine": board.machine,
        "runtime": board.runtime,
        "runtime_version": board.runtime_version,
        "exact": None if verified.problem else verified.exact,
        "tensors": verified.tensors,
        "unknown": verified.unknown,
        "different": verified.different,
        "cases": [
            {
                "batch": asked.batch,
                "threads": asked.threads,
                "delegate": asked.delegate,
                "preserve_all": asked.preserve_all,
                **_result(result),
            }
            for asked, result in zip(verified.asked, verified.results, strict=False)
        ],
        "problem": verified.problem or None,
    }


def _result(result: Any) -> dict[str, Any]:
    if isinstance(result, str):
        return {"outcome": "disagree" if result else "refused", "reason": result or None}
    return {
        "outcome": "exact" if result.exact else "differs",
        "tensors": result.tensors,
        "unknown": result.unknown,
        "reasons": list(result.reasons),
        "differences": [
            {
                "subgraph": one.subgraph,
                "tensor": one.tensor,
                "name": one.name,
                "planned": _place_json(one.planned),
                "real": _place_json(one.real),
            }
            for one in result.differences
        ],
    }


def _place_json(place: tuple[Any, int, int] | None) -> dict[str, Any] | None:
    return None if place is None else {"kind": place[0].value, "offset": place[1], "bytes": place[2]}
