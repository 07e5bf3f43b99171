"""Two thousand damaged models through ``inspect``: each ends in an outcome or in words.

Each chunk keeps one agent of this computer alive through all of its runs, aborts and segfaults
included, and proves at the end that it still measures. A mutation is found again by its chunk and
number: they seed the generator.
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from arenascope.domain.capture import Capture
from arenascope.domain.measurement import Status
from arenascope.errors import InputError
from arenascope.store.capture import from_json, to_json
from arenascope.workflow.connect import Device, connect
from arenascope.workflow.inspect import InspectRequest, inspect
from tests.data.make_models import HERE, SOUND
from tests.support.models import MODELS
from tests.support.mutations import description_of, mutated

CHUNKS, IN_A_CHUNK = 20, 100

#: Seconds that a run on the device may take. A loop whose end was mutated away needs all of them.
TIME_LIMIT = 5.0

#: Address space of the agent and its workers: a mutated shape may ask for all the memory there is,
#: and would get it from a computer that has it.
ADDRESS_SPACE = 2 * 1024**3

#: How a run of a damaged model may end. "killed" would be the system's doing, "cancelled" ours.
ENDS = {Status.OK, Status.FAILED, Status.CRASHED, Status.REFUSED, Status.TIMED_OUT}

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="this computer can be measured on Linux only"),
]


@dataclass(frozen=True)
class _Victim:
    name: str
    data: bytes
    description: tuple[range, ...]


@cache
def _victims() -> tuple[_Victim, ...]:
    """The shared models, or our own where those are absent."""
    paths = MODELS or [HERE / f"{recipe.__name__}.tflite" for recipe in SOUND]
    return tuple(_Victim(p.name, p.read_bytes(), tuple(description_of(p))) for p in paths)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_damaged_model_ends_in_an_outcome_or_in_words(chunk: int, tmp_path: Path) -> None:
    path, ends = tmp_path / "damaged.tflite", Counter[str]()
    with _limits():
        device = connect("local")
    with device:
        for number in range(IN_A_CHUNK):
            rng = random.Random(f"inspect {chunk} {number}")
            victim = rng.choice(_victims())
            path.write_bytes(mutated(victim.data, rng, victim.description))
            try:
                ends[_end_of(device, path, rng)] += 1
            except BaseException as error:
                error.add_note(f"mutation {number} of chunk {chunk}, made of {victim.name}")
                raise
        assert inspect(device, HERE / "cnn_float.tflite").outcome.ok
    logging.getLogger(__name__).info("chunk %d ended: %s", chunk, dict(ends))
    assert sum(ends.values()) == IN_A_CHUNK


def _end_of(device: Device, path: Path, rng: random.Random) -> str:
    request = InspectRequest(delegate=rng.choice(("default", "none")), timeout=TIME_LIMIT)
    try:
        capture = inspect(device, path, request)
    except InputError as error:
        assert error.message
        assert error.hint
        return type(error).__name__
    _check(capture)
    return str(capture.outcome.status)


def _check(capture: Capture) -> None:
    """Whatever came of it, it can be told and kept."""
    outcome = capture.outcome
    assert outcome.status in ENDS, outcome
    assert outcome.ok or outcome.message
    assert from_json(to_json(capture)) == capture


@contextmanager
def _limits() -> Iterator[None]:
    """What is started inside has little address space and leaves no core files. This process, in which other
    tests ran before, keeps what it has: it could start nothing otherwise."""
    import resource

    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    wanted = {resource.RLIMIT_AS: own + ADDRESS_SPACE, resource.RLIMIT_CORE: 0}
    before = {what: resource.getrlimit(what) for what in wanted}
    for what, limit in wanted.items():
        resource.setrlimit(what, (limit, before[what][1]))
    try:
        yield
    finally:
        for what, limits in before.items():
            resource.setrlimit(what, limits)
