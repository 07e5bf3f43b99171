"""The layout of an interpreter against the interpreter itself, and each trap of reading one.

The traps are those of tflite-memory.md §1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from arenascope.domain.layout import Kind
from arenascope_agent import layout, mappings, runtimes
from arenascope_agent.layout import AFTER_ALLOCATE, AFTER_INVOKE, FROM_INTERFACE, FROM_STRUCTURES, Subgraph
from tests.agent import tiny_models
from tests.agent.check_runtime import DELEGATES, Check
from tests.data import make_models
from tests.support.models import MODELS, own

#: conv_huge_im2col takes four gigabytes and a long while.
SHARED = [path for path in MODELS if path.name != "conv_huge_im2col.tflite"]
OWN = [own(f"{recipe.__name__}.tflite") for recipe in make_models.SOUND]


def opened(path: Path, delegate: str = "none", preserve_all: bool = False) -> Any:
    interpreter = runtimes.load().open(str(path), None, delegate, preserve_all)
    interpreter.allocate_tensors()
    return interpreter


def read(path: Path, delegate: str = "none") -> list[Subgraph]:
    return layout.read(opened(path, delegate), AFTER_ALLOCATE, str(path))


def through_interface(path: Path, monkeypatch: pytest.MonkeyPatch, delegate: str = "none") -> list[Subgraph]:
    def nothing_known(*_: Any) -> Any:
        raise layout.StructureError("another runtime")

    interpreter = opened(path, delegate)
    with monkeypatch.context() as patch:
        patch.setattr(layout, "Structures", nothing_known)
        found = layout.read(interpreter, AFTER_ALLOCATE, str(path))
    interpreter.allocate_tensors()  # refused while anything is held
    return found


def kinds(subgraph: Subgraph) -> dict[str, str]:
    return {t.name: t.kind for t in subgraph.tensors}


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def write(model: bytes) -> Path:
        path = tmp_path / "model.tflite"
        path.write_bytes(model)
        return path

    return write


# ----------------------------------------------------------------------- against the interpreter


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("path", [*OWN, *SHARED], ids=lambda p: p.stem)
def test_every_address_is_the_interpreters(path: Path, delegate: str) -> None:
    check = Check(str(path), delegate)
    assert check.problems == []
    assert check.runtime.package in runtimes.PACKAGES


def test_the_shared_models_are_here_or_named() -> None:
    if not SHARED:
        pytest.skip("../shared/models is not here")
    assert len(SHARED) >= 13


def test_every_address_is_the_interpreters_in_a_process_of_its_own() -> None:
    script = Path(__file__).with_name("check_runtime.py")
    done = subprocess.run(
        [sys.executable, str(script), *map(str, [*OWN, *SHARED])], capture_output=True, text=True, timeout=100
    )
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["compared"] > 300
    assert done.returncode == 0


# ----------------------------------------------------------------------------------------- traps


def test_scratch_slots_are_listed_without_being_asked_for() -> None:
    """Trap 1: tensor(i) on an index without dimensions ends the process."""
    path = own("fully_connected.tflite")
    interpreter = opened(path)
    (main,) = layout.read(interpreter, AFTER_ALLOCATE, str(path))
    listed = {d["index"] for d in interpreter.get_tensor_details()}
    slots = [t for t in main.tensors if t.number not in listed]
    assert slots
    assert {(t.kind, t.address, t.shape, t.bytes) for t in slots} == {("none", None, None, 0)}


@pytest.mark.parametrize("delegate", DELEGATES)
def test_a_tensor_without_elements_has_no_address(delegate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 2: NumPy makes a buffer of its own for it, and its address means nothing."""
    path = own("zero_size.tflite")
    for subgraphs in (read(path, delegate), through_interface(path, monkeypatch, delegate)):
        empty = [t for t in subgraphs[0].tensors if t.shape and 0 in t.shape]
        assert len(empty) >= 2
        assert {(t.kind, t.address, t.bytes) for t in empty} == {("none", None, 0)}


def test_packed_types_have_their_real_bytes() -> None:
    """Trap 3: the view of 4-bit values is twice as long as their memory."""
    (main,) = read(own("int4_weights.tflite"))
    (weights,) = [t for t in main.tensors if t.dtype == "int4"]
    elements = weights.shape[0] * weights.shape[1] if weights.shape else 0
    assert weights.bytes == elements // 2
    assert weights.kind == "mmap_ro"


@pytest.mark.parametrize("delegate", DELEGATES)
def test_subgraphs_above_the_first_are_read(delegate: str) -> None:
    """Trap 5: the public view knows subgraph 0 alone."""
    main, condition, body = read(own("while_loop.tflite"), delegate)
    for subgraph in (condition, body):
        assert subgraph.placed > 0
        assert {t.kind for t in subgraph.tensors} <= {k.value for k in Kind}
    assert {t.kind for t in body.tensors if t.number in body.inputs} == {"custom"}
    bases = [min(t.address for t in s.tensors if t.kind == "arena_rw" and t.address) for s in (main, body)]
    assert bases[0] != bases[1]  # an arena of its own


def test_arenas_that_are_given_back_leave_no_address_behind() -> None:
    path = own("while_loop.tflite")
    interpreter = opened(path)
    before = layout.read(interpreter, AFTER_ALLOCATE, str(path))
    interpreter.invoke()
    after = layout.read(interpreter, AFTER_INVOKE, str(path))
    assert before[2].placed > 0
    assert after[2].placed == 0
    assert all(t.address is None for t in after[2].tensors if t.kind in ("arena_rw", "none"))
    assert after[0].placed == before[0].placed


@pytest.mark.parametrize("name", ["strings.tflite", "resource_variable.tflite"])
@pytest.mark.parametrize("delegate", DELEGATES)
def test_object_tensors_are_never_viewed(name: str, delegate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 5a: a view of a string, resource or variant ends the process."""
    path = own(name)
    asked: list[int] = []
    real = runtimes.load().interpreter.tensor
    monkeypatch.setattr(
        runtimes.load().interpreter, "tensor", lambda self, index: (asked.append(index), real(self, index))[1]
    )
    subgraphs = read(path, delegate)
    objects = [t for t in subgraphs[0].tensors if t.dtype in ("string", "resource", "variant")]
    assert objects
    assert {t.kind for t in objects} <= {"dynamic", "arena_rw_persistent", "delegate"}  # VAR_HANDLE: 4 bytes
    through_interface(path, monkeypatch, delegate)
    assert not {t.number for t in objects} & set(asked)


def test_a_scalar_has_its_address_from_the_records_and_none_from_its_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Trap 5a: the view of a scalar is a copy."""
    path = own("scalar.tflite")
    (main,) = read(path)
    assert all(t.address is not None and t.bytes == 4 for t in main.tensors)
    (public,) = through_interface(path, monkeypatch)
    assert [t.address for t in public.tensors] == [None] * len(public.tensors)
    assert kinds(public) == kinds(main)


def test_nothing_is_held_after_a_reading() -> None:
    """allocate_tensors, invoke and resize refuse to run while a view or the wrapper is held."""
    path = own("cnn_float.tflite")
    interpreter = opened(path)
    kept = layout.read(interpreter, AFTER_ALLOCATE, str(path))
    interpreter.resize_tensor_input(0, [2, *kept[0].tensors[kept[0].inputs[0]].shape[1:]])
    interpreter.allocate_tensors()
    interpreter.invoke()


def test_temporaries_belong_to_their_operators() -> None:
    """Trap 6: the public interface lists neither which operator uses a scratch tensor nor all of them."""
    (main,) = read(own("cnn_float.tflite"))
    nodes = {n["name"]: n for n in main.nodes or ()}
    by_number = {t.number: t for t in main.tensors}
    scratch = [by_number[t] for t in nodes["CONV_2D"]["temporaries"]]
    assert scratch
    assert all(t.kind == "arena_rw" and t.address for t in scratch)


def test_the_plan_is_the_delegates() -> None:
    """Trap 7: with a delegate the order of execution is not that of the file."""
    (main,) = read(own("cnn_int8.tflite"), "default")
    assert main.nodes is not None and main.plan is not None
    partitions = [n["index"] for n in main.nodes if n["delegate"]]
    assert main.delegated
    assert set(partitions) <= set(main.plan)
    assert all(main.nodes[i]["name"] == "DELEGATE" for i in partitions)
    replaced = {n["index"] for n in main.nodes} - set(main.plan)
    interior = {t for i in replaced for t in main.nodes[i]["outputs"]}
    inside = [t for t in main.tensors if t.number in interior and t.kind == "delegate"]
    assert inside
    assert all(t.address is None and t.bytes for t in inside)


@pytest.mark.parametrize("delegate", DELEGATES)
def test_names_that_are_not_utf8(delegate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = own("name_not_utf8.tflite")
    (main,) = read(path, delegate)
    assert main.source == FROM_STRUCTURES
    assert any("\ufffd" in t.name for t in main.tensors)
    assert through_interface(path, monkeypatch, delegate)[0].nodes


# ----------------------------------------------------------------------------------------- kinds


def test_state_lies_in_the_persistent_arena() -> None:
    (main,) = read(own("lstm_fused.tflite"))
    assert len(main.variables) == 2
    assert {t.kind for t in main.tensors if t.number in main.variables} == {"arena_rw_persistent"}


def test_weights_unpacked_without_a_delegate_lie_in_the_persistent_arena() -> None:
    (main,) = read(own("fp16_weights.tflite"))
    halves = {t.number for t in main.tensors if t.dtype == "float16"}
    unpacked = [n["outputs"][0] for n in main.nodes or () if set(n["inputs"]) <= halves]
    assert unpacked
    assert {t.kind for t in main.tensors if t.number in unpacked} == {"arena_rw_persistent"}


def test_what_preparing_computes_is_read_only(made: Any) -> None:
    (main,) = read(made(tiny_models.shape_of_fixed()))
    assert kinds(main) == {"x": "arena_rw", "shape": "persistent_ro", "twice": "arena_rw"}


def test_a_dynamic_tensor_gets_its_address_when_it_has_run() -> None:
    path = own("dynamic_where.tflite")
    interpreter = opened(path)
    (before,) = layout.read(interpreter, AFTER_ALLOCATE, str(path))
    view = interpreter.tensor(0)()
    view[:] = 1
    del view
    interpreter.invoke()
    (after,) = layout.read(interpreter, AFTER_INVOKE, str(path))
    (early,) = [t for t in before.tensors if t.name == "places"]
    (late,) = [t for t in after.tensors if t.name == "places"]
    assert (early.kind, early.address) == ("dynamic", None)
    assert late.kind == "dynamic" and late.address is not None
    assert late.shape == (24, 2) and late.bytes == 24 * 2 * 8
    assert layout.fingerprint(before) != layout.fingerprint(after)


def test_constants_lie_in_the_file() -> None:
    for name in ("cnn_float.tflite", "weights_behind.tflite"):
        path = own(name)
        interpreter = opened(path)
        (main,) = layout.read(interpreter, AFTER_ALLOCATE, str(path))
        ranges = mappings.file_ranges(mappings.mapped_name(str(path)))
        constants = [t for t in main.tensors if t.kind == "mmap_ro"]
        assert constants
        data = path.read_bytes()
        for tensor in constants:
            assert any(start <= (tensor.address or 0) < end for start, end in ranges)
            assert tensor.bytes and tensor.bytes <= len(data)


def test_preserved_tensors_overlap_nowhere() -> None:
    path = own("cnn_float.tflite")
    interpreter = opened(path, "none", preserve_all=True)
    (main,) = layout.read(interpreter, AFTER_ALLOCATE, str(path))
    spans = sorted(
        (t.address, t.address + t.bytes)
        for t in main.tensors
        if t.kind == "arena_rw" and t.address is not None and t.bytes
    )
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


# ------------------------------------------------------------------------------ public interface


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize("path", [*OWN, *SHARED], ids=lambda p: p.stem)
def test_the_public_interface_agrees_as_far_as_it_can(
    path: Path, delegate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it cannot tell from outside is listed here: nothing else may differ in subgraph 0."""
    real, public = read(path, delegate)[0], through_interface(path, monkeypatch, delegate)[0]
    assert public.source == FROM_INTERFACE
    assert public.inputs == real.inputs and public.outputs == real.outputs
    by_number = {t.number: t for t in real.tensors}
    blind = {
        ("persistent_ro", "dynamic"),
        ("dynamic", "none"),  # before it has run
        ("none", "delegate"),  # behind a dynamic tensor, not yet prepared
        ("dynamic", "delegate"),
        ("delegate", "none"),  # scratch of a replaced operator
        ("dynamic", "arena_rw"),  # two blocks that happen to touch
        ("persistent_ro", "arena_rw"),
    }
    for tensor in public.tensors:
        known = by_number[tensor.number]
        if tensor.shape != ():
            assert (tensor.kind == known.kind) or (known.kind, tensor.kind) in blind, tensor
        assert tensor.address is None or known.address is not None
    main = [t for t in public.tensors if t.kind == "mmap_ro" and t.address is not None]
    assert {t.number for t in main} <= {t.number for t in real.tensors if t.kind == "mmap_ro"}


def test_records_that_contradict_the_interface_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    path = own("cnn_float.tflite")
    real = layout.Structures.read

    def moved(self: Any, index: int) -> Any:
        record = real(self, index)
        tensors = [t._replace(data=t.data + 64) if t.data else t for t in record.tensors]
        return record._replace(tensors=tensors)

    def renamed(self: Any, index: int) -> Any:
        record = real(self, index)
        return record._replace(tensors=[t._replace(name=t.name + "?") for t in record.tensors])

    def retyped(self: Any, index: int) -> Any:
        record = real(self, index)
        return record._replace(tensors=[t._replace(dtype="int16") for t in record.tensors])

    for wrong in (moved, renamed, retyped):
        monkeypatch.setattr(layout.Structures, "read", wrong)
        assert read(path)[0].source == FROM_INTERFACE


def test_without_proc_mem_the_interface_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed() -> Any:
        raise PermissionError("/proc/self/mem")

    monkeypatch.setattr(layout, "Memory", closed)
    assert read(own("cnn_float.tflite"))[0].source == FROM_INTERFACE


# ---------------------------------------------------------------------------------------- events


def test_tensors_are_sent_in_chunks(made: Any) -> None:
    (main,) = read(made(tiny_models.chain(4500)))
    sent = list(layout.events(main))
    assert [name for name, _ in sent] == ["subgraph", "tensors", "tensors", "tensors"]
    assert [len(data["tensors"]) for _, data in sent[1:]] == [2000, 2000, 500]
    assert [row[0] for _, data in sent[1:] for row in data["tensors"]] == list(range(4500))
    assert sent[0][1]["index"] == 0 and len(sent[0][1]["nodes"]) == 4499


def test_no_event_outgrows_a_frame(made: Any) -> None:
    from arenascope_agent import protocol

    (main,) = read(made(tiny_models.long_names(300, 6000)))
    assert main.source == FROM_STRUCTURES
    assert len(main.tensors[1].name) > 4096
    for name, data in layout.events(main):
        assert len(protocol.encode(protocol.event(name, data))) < protocol.MAX_FRAME // 2
        assert all(len(row[1]) <= 4096 for row in data.get("tensors", []))


def test_a_subgraph_of_very_many_nodes_goes_without_them(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (main,) = read(made(tiny_models.chain(30)))
    monkeypatch.setattr(layout, "_MAX_NODES", 20)
    assert next(layout.events(main))[1]["nodes"] is None
