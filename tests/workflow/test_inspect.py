"""A real agent, a real runtime, real models: what an inspection says is checked against other sources."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from arenascope.domain.attribution import UNEXPLAINED
from arenascope.domain.board import Board
from arenascope.domain.capture import Capture
from arenascope.domain.layout import Kind
from arenascope.domain.measurement import PHASES, Status
from arenascope.domain.overlaps import find_overlaps
from arenascope.errors import Cancelled, FileError, ModelError
from arenascope.workflow.connect import Device, connect
from arenascope.workflow.events import PhaseStarted
from arenascope.workflow.inspect import InspectRequest, _Run, inspect
from arenascope.workflow.jobs import CancelToken
from tests.support.models import MODELS as SHARED_MODELS
from tests.support.models import OWN, own, shared

#: Wants gigabytes of scratch on CPU kernels; it has a test of its own.
HUGE = "conv_huge_im2col.tflite"
#: Made to end badly; they have tests of their own.
_BAD = ("crash_", "hang_", "refused_", "unknown_", "overflowing_", "name_not_utf8")
MODELS = [
    p
    for p in (*sorted(OWN.glob("*.tflite")), *SHARED_MODELS)
    if p.name != HUGE and not p.name.startswith(_BAD)
]


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with connect() as connected:
        yield connected


@pytest.fixture(scope="module")
def captures(device: Device) -> dict[tuple[str, str], Capture]:
    """Every model with both delegates, measured once."""
    return {
        (path.name, delegate): inspect(device, path, InspectRequest(delegate=delegate))
        for path in MODELS
        for delegate in ("none", "default")
    }


def every_capture(captures: dict[tuple[str, str], Capture]) -> Iterator[tuple[str, Capture]]:
    for (name, delegate), capture in captures.items():
        yield f"{name} with delegate {delegate}", capture


def test_every_model_is_read_to_the_end(captures: dict[tuple[str, str], Capture]) -> None:
    for label, capture in every_capture(captures):
        assert capture.outcome.status is Status.OK, f"{label}: {capture.outcome.message}"
        assert [p.name for p in capture.phases] == list(PHASES), label
        assert capture.layout_source == "runtime structures", label


def test_offsets_sizes_and_arenas_agree_with_the_addresses(captures: dict[tuple[str, str], Capture]) -> None:
    for label, capture in every_capture(captures):
        for arena in capture.layout.arenas:
            tensors = capture.layout.in_arena(arena.subgraph, arena.kind)
            assert arena.base is not None and arena.base % 64 == 0, label
            assert min(p.offset for p in tensors if p.offset is not None) == 0, label
            assert arena.bytes == max((p.offset or 0) + (p.bytes or 0) for p in tensors), label
            for p in tensors:
                assert p.address == arena.base + (p.offset or 0), label
                assert (p.offset or 0) % 64 == 0, label


def test_no_live_tensors_overlap(captures: dict[tuple[str, str], Capture]) -> None:
    for label, capture in every_capture(captures):
        assert find_overlaps(capture.layout) == (), label


def test_totals_hold_together(captures: dict[tuple[str, str], Capture]) -> None:
    for label, capture in every_capture(captures):
        totals = capture.totals
        assert totals.lower_bound is not None and totals.arena_rw is not None, label
        assert totals.lower_bound <= totals.arena_rw <= (totals.sum_without_reuse or 0) + 64 * 1000, label


def test_the_attribution_adds_up_and_little_is_unexplained(captures: dict[tuple[str, str], Capture]) -> None:
    for label, capture in every_capture(captures):
        after = next(p for p in capture.phases if p.name == "invoke_first")
        assert sum(p.bytes for p in capture.attribution) == after.rss_after, label
        unexplained = next(p.bytes for p in capture.attribution if p.part == UNEXPLAINED)
        assert unexplained < 0.1 * (after.rss_after or 0), f"{label}: {unexplained}"


def test_phases_are_ordered_and_peaks_are_peaks(captures: dict[tuple[str, str], Capture]) -> None:
    for label, capture in every_capture(captures):
        for phase in capture.phases:
            assert phase.rss_peak is not None and phase.rss_after is not None, label
            assert phase.rss_peak >= max(phase.rss_before or 0, phase.rss_after), label
        starts = [p.start for p in capture.phases]
        assert starts == sorted(starts, key=lambda s: s or 0), label
        assert list(capture.samples.t) == sorted(capture.samples.t), label


BARE = """
import json, os, sys
os.environ["NUMPY_MADVISE_HUGEPAGE"] = "0"
os.environ["MALLOC_ARENA_MAX"] = "1"
import ctypes
trim = ctypes.CDLL(None).malloc_trim
def field(name):
    for line in open("/proc/self/status"):
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
peaks = []
def step(do):
    trim(0)
    before = field("VmRSS")
    open("/proc/self/clear_refs", "w").write("5")
    value = do()
    peaks.append(field("VmHWM"))
    return value, peaks[-1] - before
def load_runtime():
    import numpy
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    return Interpreter, OpResolverType
(Interpreter, Types), imported = step(load_runtime)
options = {} if sys.argv[2] == "default" else {
    "experimental_op_resolver_type": Types.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
it, loaded = step(lambda: Interpreter(model_path=sys.argv[1], **options))
_, allocated = step(it.allocate_tensors)
import numpy as np
for d in it.get_input_details():
    text = d["dtype"] in (object, np.bytes_)
    it.set_tensor(d["index"], np.full(d["shape"], b"a", object) if text else np.ones(d["shape"], d["dtype"]))
_, first = step(it.invoke)
_, again = step(it.invoke)
print(json.dumps([imported, loaded, allocated, first, again, max(peaks)]))
"""


@pytest.mark.parametrize("delegate", ["none", "default"])
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.name)
def test_the_rise_of_every_phase_agrees_with_an_independent_measurement(
    path: Path, delegate: str, captures: dict[tuple[str, str], Capture]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BARE), str(path), delegate],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    *rises, peak = json.loads(done.stdout.splitlines()[-1])
    capture = captures[path.name, delegate]
    assert abs((capture.totals.process_peak or 0) - peak) <= 1 << 20, (capture.totals.process_peak, peak)
    for phase, rise in zip(capture.phases[1:], rises[1:], strict=True):
        assert phase.rss_peak is not None and phase.rss_before is not None
        assert abs((phase.rss_peak - phase.rss_before) - rise) <= 1 << 20, (phase.name, phase, rise)


def test_without_invoke_the_layout_after_allocate_is_read(device: Device) -> None:
    capture = inspect(device, own("lstm_fused.tflite"), InspectRequest(invoke=False))
    assert [p.name for p in capture.phases] == ["runtime_import", "load", "allocate"]
    assert capture.totals.arena_rw
    assert sum(p.bytes for p in capture.attribution) == capture.phases[-1].rss_after


def test_a_larger_batch_takes_a_larger_arena(device: Device) -> None:
    one = inspect(device, own("cnn_float.tflite"), InspectRequest(delegate="none"))
    four = inspect(device, own("cnn_float.tflite"), InspectRequest(delegate="none", batch=4))
    assert (four.totals.arena_rw or 0) > 3 * (one.totals.arena_rw or 0)
    assert next(iter(four.options.inputs.values()))[0] == 4


def test_everything_preserved_takes_more_and_never_ends(device: Device) -> None:
    capture = inspect(device, own("cnn_float.tflite"), InspectRequest(delegate="none", preserve_all=True))
    assert all(p.last_op is None for p in capture.layout.in_arena(0))
    assert (capture.totals.arena_rw or 0) >= (capture.totals.sum_without_reuse or 0)


def test_subgraphs_of_control_flow_have_their_tensors(device: Device) -> None:
    capture = inspect(device, own("while_loop.tflite"), InspectRequest(delegate="none"))
    assert len(capture.layout.subgraphs) == 3
    body = [p for p in capture.layout.placements if p.subgraph > 0]
    assert any(p.kind is Kind.CUSTOM for p in body)
    assert any(p.kind is Kind.ARENA_RW and p.address for p in body)


def test_interiors_of_a_delegate_have_no_address(device: Device) -> None:
    capture = inspect(device, own("cnn_float.tflite"), InspectRequest(delegate="default"))
    interiors = [p for p in capture.layout.placements if p.kind is Kind.DELEGATE]
    assert interiors and all(p.address is None and p.offset is None for p in interiors)
    assert [o.name for o in capture.layout.plan()].count("DELEGATE") >= 1


def test_what_is_not_a_model_never_reaches_the_device(device: Device, tmp_path: Path) -> None:
    text = tmp_path / "notes.tflite"
    text.write_text("not a model at all, but long enough to hold an identifier")
    with pytest.raises(ModelError, match=r"notes\.tflite"):
        inspect(device, text)
    with pytest.raises(FileError):
        inspect(device, tmp_path / "absent.tflite")
    with pytest.raises(FileError):
        inspect(device, tmp_path)


def test_a_cancel_ends_the_run_and_the_device_answers_again(device: Device) -> None:
    token = CancelToken()

    def stop(event: object) -> None:
        if isinstance(event, PhaseStarted) and event.name == "invoke_first":
            token.cancel()

    capture = inspect(device, own("hang_while.tflite"), on_event=stop, cancel=token)
    assert capture.outcome.status is Status.CANCELLED
    assert capture.layout.placements, "the layout after allocate was read before the endless invoke"
    assert inspect(device, own("lstm_fused.tflite")).outcome.status is Status.OK


def test_a_cancel_before_the_run_starts_nothing(device: Device) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        inspect(device, own("lstm_fused.tflite"), cancel=token)


def test_an_endless_invoke_is_timed_out(device: Device) -> None:
    capture = inspect(device, own("hang_while.tflite"), InspectRequest(timeout=3))
    assert (capture.outcome.status, capture.outcome.phase) == (Status.TIMED_OUT, "invoke_first")


@pytest.mark.parametrize(
    ("name", "phase", "signal"),
    [
        ("crash_load", "load", "SIGSEGV"),
        ("crash_allocate", "allocate", "SIGSEGV"),
        ("crash_invoke", "invoke_first", "SIGABRT"),
    ],
)
def test_a_model_that_kills_the_runtime_is_a_crash_with_phase_and_signal(
    device: Device, name: str, phase: str, signal: str
) -> None:
    capture = inspect(device, own(f"{name}.tflite"), InspectRequest(delegate="none"))
    assert capture.outcome.status is Status.CRASHED
    assert (capture.outcome.phase, capture.outcome.signal) == (phase, signal)
    assert inspect(device, own("lstm_fused.tflite")).outcome.status is Status.OK


def test_an_unknown_operator_fails_with_its_name(device: Device) -> None:
    capture = inspect(device, own("unknown_operator.tflite"))
    assert capture.outcome.status is Status.FAILED
    assert capture.outcome.phase in ("load", "allocate")
    assert "operator" in capture.outcome.message.lower() or "op" in capture.outcome.message.lower()


def test_an_impossible_batch_is_refused_or_failed_with_the_runtimes_words(device: Device) -> None:
    capture = inspect(device, shared("vww_96_float.tflite"), InspectRequest(delegate="none", batch=2_000_000))
    assert capture.outcome.status in (Status.REFUSED, Status.FAILED)
    assert capture.outcome.phase == "allocate"
    assert capture.outcome.message


def test_a_long_run_on_a_board_short_of_memory_keeps_its_latest_looks() -> None:
    run = _Run(lambda _event: None, CancelToken(), Board("board"))
    for number in range(5000):
        run.on_event("processes", {"t": float(number), "top": [[1, "init", 100]]})
    times = [look.t for look in run.processes]
    assert len(times) <= 600
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-300:] == [float(number) for number in range(4700, 5000)]
