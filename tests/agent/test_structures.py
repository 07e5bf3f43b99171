"""Records read out of our own memory: what is there, and nothing where it is not."""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from arenascope_agent import runtimes, structures
from arenascope_agent.asking import ints, operands
from arenascope_agent.structures import Known, Memory, StructureError, Structures
from tests.support.models import own


@pytest.fixture
def memory() -> Iterator[Memory]:
    made = Memory()
    yield made
    made.close()


def allocated(name: str, delegate: str = "none") -> Any:
    interpreter = runtimes.load().open(str(own(name)), None, delegate, False)
    interpreter.allocate_tensors()
    return interpreter


def known(interpreter: Any) -> Known:
    return Known(
        interpreter._interpreter.NumTensors(0),
        ints(interpreter._interpreter.InputIndices()),
        ints(interpreter._interpreter.OutputIndices()),
        operands(interpreter),
    )


def read(interpreter: Any, memory: Memory) -> Structures:
    return Structures(memory, interpreter._interpreter.interpreter(), known(interpreter))


def test_memory_reads_what_is_there(memory: Memory) -> None:
    text = ctypes.create_string_buffer(b"x" * 9000 + "ä".encode() + b"\0behind")
    address = ctypes.addressof(text)
    assert memory.read(address, 9010) == text.raw[:9010]
    assert memory.text(address) == "x" * 9000 + "ä"
    numbers = (ctypes.c_int * 6)(5, 10, -1, 30, 2**31 - 1, 7)
    assert memory.int_array(ctypes.addressof(numbers), 5) == (10, -1, 30, 2**31 - 1, 7)
    assert memory.int_array(ctypes.addressof(numbers), 4) is None  # longer than it may be


@pytest.mark.parametrize("address", [0, 1, 4095, 1 << 46, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_memory_has_nothing_where_nothing_is(memory: Memory, address: int) -> None:
    assert memory.read(address, 64) == b""
    assert memory.read(address, 1 << 20) == b""
    assert memory.words(address, 8) == ()
    assert memory.text(address) == ""
    assert memory.int_array(address, 8) is None


def test_memory_ends_where_the_mapping_ends(memory: Memory) -> None:
    page = mmap.PAGESIZE
    with mmap.mmap(-1, 2 * page) as area:
        hold = ctypes.c_char.from_buffer(area)
        base = ctypes.addressof(hold)
        area[:] = b"\xff" * (2 * page)
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.munmap(ctypes.c_void_p(base + page), page) == 0
        assert memory.read(base + page - 8, 64) == b"\xff" * 8
        assert memory.text(base + page - 8) == "\ufffd" * 8
        del hold
        area.close()


@pytest.mark.parametrize("delegate", ["none", "default"])
def test_records_are_those_of_the_interpreter(memory: Memory, delegate: str) -> None:
    interpreter = allocated("lstm_fused.tflite", delegate)
    record = read(interpreter, memory).read(0)
    assert record.inputs == ints(interpreter._interpreter.InputIndices())
    assert record.outputs == ints(interpreter._interpreter.OutputIndices())
    assert [record.tensors[i].name for i in record.variables or ()] == [
        "lstm/output_state",
        "lstm/cell_state",
    ]
    assert all(record.tensors[i].variable for i in record.variables or ())
    assert record.nodes is not None and record.plan is not None
    if delegate == "none":
        assert record.plan == tuple(range(len(record.nodes)))
        assert [n.delegate for n in record.nodes] == [False] * len(record.nodes)
        scratch = record.nodes[0].temporaries
        assert scratch and min(scratch) >= record.nodes[0].outputs[0]
    else:
        partitions = [n.number for n in record.nodes if n.delegate]
        assert partitions and set(partitions) <= set(record.plan)
        assert len(record.plan) < len(record.nodes)


def test_all_subgraphs_are_found(memory: Memory) -> None:
    interpreter = allocated("while_loop.tflite")
    found = read(interpreter, memory)
    assert found.count == 3
    condition, body = found.read(1), found.read(2)
    assert condition.tensors and body.tensors
    assert body.plan == tuple(range(len(body.nodes or ())))
    assert {t.allocation for t in body.tensors if t.number in (body.inputs or ())} == {6}  # custom


def test_a_slot_without_dimensions_is_read_and_not_probed(memory: Memory) -> None:
    interpreter = allocated("fully_connected.tflite")
    record = read(interpreter, memory).read(0)
    empty = [t for t in record.tensors if t.shape is None]
    assert empty
    assert all(t.bytes == 0 and t.data == 0 and t.dtype == "none" and t.name == "" for t in empty)


@pytest.mark.parametrize("pointer", [0, 8, 1 << 46, (1 << 64) - 8])
def test_a_wrong_pointer_is_refused(memory: Memory, pointer: int) -> None:
    with pytest.raises(StructureError):
        Structures(memory, pointer, Known(3, (0,), (2,), []))


def test_memory_of_something_else_is_refused(memory: Memory) -> None:
    rubbish = ctypes.create_string_buffer(struct.pack("512P", *range(4096, 4096 + 512 * 8, 8)))
    with pytest.raises(StructureError, match="no vector of subgraphs"):
        Structures(memory, ctypes.addressof(rubbish), Known(3, (0,), (2,), []))


def test_another_model_than_the_known_one_is_refused(memory: Memory) -> None:
    interpreter = allocated("cnn_float.tflite")
    right = known(interpreter)
    pointer = interpreter._interpreter.interpreter()
    with pytest.raises(StructureError, match="no vector of subgraphs"):
        Structures(memory, pointer, right._replace(tensors=right.tensors + 1))
    with pytest.raises(StructureError, match="no vector of the nodes"):
        Structures(memory, pointer, right._replace(operands=right.operands[:-1]))
    with pytest.raises(StructureError, match="no vector of the nodes"):
        Structures(memory, pointer, right._replace(operands=[((99,), (98,)) for _ in right.operands]))


def test_inputs_that_are_not_found_leave_the_plan_unknown(memory: Memory) -> None:
    interpreter = allocated("cnn_float.tflite")
    wrong = known(interpreter)._replace(inputs=(12345,))
    record = Structures(memory, interpreter._interpreter.interpreter(), wrong).read(0)
    assert (record.inputs, record.outputs, record.variables, record.plan) == (None, None, None, None)
    assert record.nodes


def test_types_are_in_the_words_of_the_file() -> None:
    from arenascope.domain.graph import ELEMENT_BYTES, ELEMENTS_PER_BYTE

    sized = {*ELEMENT_BYTES, *ELEMENTS_PER_BYTE}
    assert sized <= set(structures.TYPES)
    assert set(structures.TYPES) - sized == {"none", "string", "resource", "variant"}
