"""A model for another batch: whatever is not refused computes the same for every sample."""

from __future__ import annotations

import io
import random
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import HealthCheck, assume, event, given, note, settings
from hypothesis import strategies as st

from arenascope.domain.batch_axis import Along
from arenascope.errors import ModelError
from arenascope.tflite.reader import read_model
from arenascope.tflite.rewrite import Rewritten, rebatched
from tests.data.blocks import add, dense, reshape, tanh
from tests.data.builder import ModelBuilder, Weights, options
from tests.support.models import own
from tests.support.mutations import description_of, mutated
from tests.tflite.chains import Chain, chains

PLAIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def changed(data: bytes, wanted: int, folder: Path | None = None) -> Rewritten:
    with tempfile.TemporaryDirectory() as made:
        path = (folder or Path(made)) / "model.tflite"
        path.write_bytes(data)
        return rebatched(path, read_model(path), wanted, {})


def opened(data: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=PLAIN)
    interpreter.allocate_tensors()
    return interpreter


def run(interpreter: Interpreter, *values: np.ndarray) -> list[np.ndarray]:
    for detail, value in zip(interpreter.get_input_details(), values, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def part(values: np.ndarray, along: Along, batch: int, sample: int) -> np.ndarray:
    shape, axis = values.shape, along.axis
    return values.reshape(*shape[:axis], along.outer, batch, along.inner, *shape[axis + 1 :]).take(
        sample, axis + 1
    )


def check(data: bytes, wanted: int) -> Rewritten:
    """The new model, after it was seen to compute the same as the old one."""
    made = changed(data, wanted)
    old, new = opened(data), opened(made.data)
    for detail in new.get_tensor_details():
        key = (0, detail["index"])
        assert key not in made.shapes or tuple(detail["shape"]) == made.shapes[key], detail["name"]
    samples = -(-wanted // made.batch) * made.batch
    shapes = [tuple(int(n) for n in d["shape"][1:]) for d in old.get_input_details()]
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(-1, 1, (samples, *shape)).astype(np.float32) for shape in shapes]
    together = run(new, *(values[:wanted] for values in inputs))
    for first in range(0, samples, made.batch):
        old.reset_all_variables()
        alone = run(old, *(values[first : first + made.batch] for values in inputs))
        for port, a, b in zip(made.ports[0].outputs, alone, together, strict=True):
            for place in range(min(made.batch, wanted - first)):
                if port.along is None:
                    np.testing.assert_array_equal(a, b)
                    continue
                np.testing.assert_allclose(
                    part(b, port.along, wanted, first + place),
                    part(a, port.along, made.batch, place),
                    rtol=1e-4,
                    atol=1e-4,
                )
    return made


def described(data: bytes) -> str:
    """The operators of a model, for whoever looks at a failing example."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(data)
        main = read_model(path).main
    return "; ".join(
        f"{o.name}({[list(main.tensors[i].shape) for i in o.inputs]}) = {list(main.tensors[o.outputs[0]].shape)}"
        for o in main.operators
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(chains(), st.integers(1, 5))
def test_a_model_is_refused_or_computes_the_same(data: bytes, wanted: int) -> None:
    try:
        opened(data)
    except RuntimeError:
        assume(False)
    note(described(data))
    try:
        check(data, wanted)
        event("changed")
    except ModelError as error:
        assert "operator" in error.message or "no output" in error.message
        event("refused")


# ------------------------------------------------------------------------ what changes, one by one


def kinds(made: Rewritten) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [(c.kind, c.before, c.after) for c in made.changes if c.kind not in ("input", "output")]


def test_a_fused_lstm_gets_a_state_for_each_sample() -> None:
    made = check(own("lstm_fused.tflite").read_bytes(), 8)
    assert kinds(made) == [
        ("state", (1, 5), (8, 5)),
        ("state", (1, 5), (8, 5)),
        ("option", (1, 30), (-1, 30)),
        ("constant", (1, 30), (-1, 30)),
    ]
    assert made.pinned and made.stateful and made.batch == 1


@pytest.mark.parametrize("name", ["cnn_float", "fully_connected", "mean", "fp16_weights", "split_many"])
def test_a_model_that_follows_by_itself_is_written_all_the_same(name: str) -> None:
    made = check(own(f"{name}.tflite").read_bytes(), 3)
    assert not made.pinned and kinds(made) == []
    assert {c.after[0] for c in made.changes} == {3}
    signatures = [t.shape_signature for t in _graph(made).main.tensors if t.shape_signature]
    assert all(-1 not in signature for signature in signatures)


def _graph(made: Rewritten) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.tflite"
        path.write_bytes(made.data)
        return read_model(path)


def test_a_constant_that_others_use_is_copied() -> None:
    """Both RESHAPEs take the same constant; to one it is the batch, to the other it is not."""
    model, weights = ModelBuilder("shared"), Weights(1)
    graph = model.subgraph("main")
    x = graph.input("x", [1, 6])
    shape = graph.shape_constant("shape", [1, 2, 3])
    other = graph.op("RESHAPE", [graph.constant("c", weights.uniform(6)), shape], ("other", [1, 2, 3]))
    mine = graph.op("RESHAPE", [x, shape], ("mine", [1, 2, 3]))
    graph.output(add(graph, mine, other, [1, 2, 3], "y"))
    made = check(model.build(), 4)
    (change,) = [c for c in made.changes if c.kind == "constant"]
    assert change.operator == "operator 1 (RESHAPE)" and "copy" in change.note
    main = _graph(made).main
    assert main.operators[0].inputs[1] == shape != main.operators[1].inputs[1]
    assert len(main.tensors) == len(graph.table.tensors) + 1


def test_two_tensors_over_one_buffer_do_not_change_together() -> None:
    model = ModelBuilder("one buffer")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 6])
    first = graph.shape_constant("first", [1, 6])
    second = graph.shape_constant("second", [1, 6])
    graph.table.tensors[second].buffer = graph.table.tensors[first].buffer
    y = graph.op("RESHAPE", [x, first], ("y", [1, 6]))
    graph.output(graph.op("CAST", [second], ("kept", [2], "int32")), y)
    made = changed(model.build(), 5)
    values = run(opened(made.data), np.ones((5, 6), np.float32))
    assert values[0].tolist() == [1, 6] and values[1].shape == (5, 6)


def test_zeros_of_the_old_batch_become_those_of_the_new() -> None:
    """FILL and BROADCAST_TO make the first state of a loop that was unrolled."""
    model, weights = ModelBuilder("unrolled"), Weights(1)
    graph = model.subgraph("main")
    x = graph.input("x", [2, 3])
    zero = graph.constant("zero", np.array(0.5, np.float32))
    filled = graph.op("FILL", [graph.shape_constant("dims", [2, 3]), zero], ("filled", [2, 3], "float32"))
    row = graph.constant("row", weights.uniform(1, 3))
    rows = graph.op("BROADCAST_TO", [row, graph.shape_constant("to", [2, 3])], ("rows", [2, 3]), version=2)
    made = options("Concatenation", axis=1)
    graph.output(graph.op("CONCATENATION", [x, filled, rows], ("y", [2, 9]), options=made))
    assert kinds(check(model.build(), 5)) == [
        ("constant", (2, 3), (5, 3)),
        ("constant", (2, 3), (5, 3)),
    ]


def test_a_constant_is_repeated_only_where_it_is_the_same_for_each_sample() -> None:
    def joined(rows: np.ndarray) -> bytes:
        model = ModelBuilder("joined")
        graph = model.subgraph("main")
        x = graph.input("x", [2, 3])
        made = options("Concatenation", axis=1)
        graph.output(
            graph.op("CONCATENATION", [x, graph.constant("rows", rows)], ("y", [2, 5]), options=made)
        )
        return model.build()

    check(joined(np.array([[1, 2], [1, 2]], np.float32)), 7)
    with pytest.raises(ModelError, match="something else for each sample"):
        changed(joined(np.array([[1, 2], [3, 4]], np.float32)), 7)
    with pytest.raises(ModelError, match="something else for each sample"):  # 0.0 == -0.0, but not its bytes
        changed(joined(np.array([[0.0, 2], [-0.0, 2]], np.float32)), 7)


def test_a_shape_that_is_computed_from_the_input_follows() -> None:
    """SHAPE → STRIDED_SLICE → PACK → RESHAPE, as Keras writes Flatten and Reshape."""
    made = check(flatten("batch"), 4)
    assert kinds(made) == [] and not made.pinned


def test_a_shape_that_is_put_together_from_constants_becomes_one_that_follows() -> None:
    made = check(flatten("one"), 4)
    assert made.pinned and [c.after for c in made.changes if c.kind == "constant"] == [(-1, 6)]


def flatten(first: str) -> bytes:
    """RESHAPE to [``first``, 6], where "square" is six times the square of the batch: no shape for any other."""
    model = ModelBuilder("flatten")
    graph = model.subgraph("main")
    x = graph.input("x", [1, 2, 3])
    shape = graph.op("SHAPE", [x], ("shape", [3], "int32"), options=options("Shape", outType=2))
    ends = [graph.shape_constant(n, [v]) for n, v in (("begin", 0), ("end", 1), ("stride", 1))]
    made = options("StridedSlice", shrinkAxisMask=1)
    batch = graph.op("STRIDED_SLICE", [shape, *ends], ("batch", [], "int32"), options=made)
    one = graph.constant("one", np.array(1, np.int32))
    six = graph.constant("six", np.array(6, np.int32))
    rest = six if first != "square" else graph.op("MUL", [batch, six], ("rest", [], "int32"))
    start = one if first == "one" else batch
    to = graph.op("PACK", [start, rest], ("to", [2], "int32"), options=options("Pack", valuesCount=2))
    graph.output(tanh(graph, graph.op("RESHAPE", [x, to], ("flat", [1, 6])), [1, 6], "y"))
    return model.build()


def test_states_that_go_in_and_out_are_inputs_like_others() -> None:
    model, weights = ModelBuilder("state in, state out"), Weights(1)
    graph = model.subgraph("main")
    x, state = graph.input("x", [1, 4]), graph.input("state", [1, 2, 4])
    flat = reshape(graph, state, [1, 8], [1, 8], "flat")
    made = options("Concatenation", axis=1)
    both = graph.op("CONCATENATION", [x, flat], ("both", [1, 12]), options=made)
    new = dense(graph, weights, both, 12, 8, "new")
    graph.output(tanh(graph, x, [1, 4], "y"), reshape(graph, new, [1, 2, 4], [1, 2, 4], "state_out"))
    made = check(model.build(), 6)
    assert [c.after for c in made.changes if c.kind == "output"] == [(6, 4), (6, 2, 4)]


def test_a_loop_carries_the_samples() -> None:
    made = changed(loop(), 3)
    assert {key[0] for key in made.shapes if made.shapes[key] == (3, 4)} == {0, 1, 2}
    old, new = opened(loop()), opened(made.data)
    x = np.random.default_rng(1).uniform(-1, 1, (3, 4)).astype(np.float32)
    (together,) = run(new, x)
    for sample in range(3):
        np.testing.assert_allclose(run(old, x[sample : sample + 1])[0][0], together[sample], rtol=1e-6)


def loop(counted: bool = True) -> bytes:
    """x ← tanh(x) four times; or until x itself is large enough."""
    model = ModelBuilder("loop")
    main, cond, body = (model.subgraph(name) for name in ("main", "cond", "body"))
    zero = main.constant("zero", np.array(0, np.int32))
    x = main.input("x", [1, 4])
    made = options("While", condSubgraphIndex=1, bodySubgraphIndex=2)
    first = main.op("WHILE", [zero, x], ("n", [], "int32"), ("y", [1, 4], "float32"), options=made)
    main.output(first + 1)
    n, y = cond.input("n", [], "int32"), cond.input("x", [1, 4])
    four = cond.constant("four", np.array(4, np.int32))
    if counted:
        cond.output(cond.op("LESS", [n, four], ("less", [], "bool")))
    else:
        half = cond.constant("half", np.full((1, 4), 9, np.float32))
        less = cond.op("LESS", [y, half], ("less", [1, 4], "bool"))
        axes = cond.shape_constant("axes", [1])
        cond.output(cond.op("REDUCE_ANY", [less, axes], ("any", [1], "bool"), options=options("Reducer")))
    n, y = body.input("n", [], "int32"), body.input("x", [1, 4])
    one = body.constant("one", np.array(1, np.int32))
    body.output(add(body, n, one, [], "next"), tanh(body, y, [1, 4], "tanh"))
    return model.build()


# --------------------------------------------------------------------------------- what is refused


def chain(shape: tuple[int, ...], *links: Callable[[Chain], None]) -> bytes:
    made = Chain(shape)
    for link in links:
        link(made)
    return made.data()


REFUSED = {
    "reduces over dimension 0": chain(
        (2, 4), lambda c: c.op("MEAN", (4,), np.array([0], np.int32), kind="Reducer")
    ),
    "normalises along": chain(
        (1, 4),
        lambda c: c.op("TRANSPOSE", (4, 1), np.array([1, 0], np.int32), kind="Transpose"),
        lambda c: c.op("SOFTMAX", (4, 1), kind="Softmax", beta=1.0),
    ),
    "takes one sample out of the batch": chain(
        (1, 4),
        lambda c: c.op(
            "STRIDED_SLICE",
            (4,),
            *(np.array([v], np.int32) for v in (0, 1, 1)),
            kind="StridedSlice",
            shrinkAxisMask=1,
        ),
    ),
    "tears the samples apart": chain((4, 2), lambda c: c.op("RESHAPE", (2, 4), np.array([2, 4], np.int32))),
    "puts an image together from different samples": chain(
        (4, 2, 2, 1),
        lambda c: c.op(
            "BATCH_TO_SPACE_ND", (1, 4, 4, 1), np.array([2, 2], np.int32), np.zeros((2, 2), np.int32),
            kind="BatchToSpaceND",
        ),
    ),
    "multiplied with all others": chain(
        (2, 4),
        lambda c: c.take(
            c.graph.op(
                "BATCH_MATMUL", [c.tensor, c.tensor], ("y", (2, 2)), options=options("BatchMatMul", adjY=True)
            ),
            (2, 2),
        ),
    ),
    "removes the dimension that counts the samples": chain(
        (1, 4), lambda c: c.op("SQUEEZE", (4,), kind="Squeeze", squeezeDims=[0])
    ),
    "computed as [3, 18] for the new batch": flatten("square"),
    "how long the loop goes on depends on the samples": loop(counted=False),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_mixes_samples_is_refused_with_the_reason(reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        changed(REFUSED[reason], 3)
    assert reason in caught.value.message and "operator" in caught.value.message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown_operator", "custom operator"),
        ("dynamic_where", "how many rows it makes"),
        ("resource_variable", "resource variable"),
        ("if_branch", "which branch is taken"),
        ("weights_behind", "behind the flatbuffer"),
        ("scalar", "no input of the model has a batch dimension"),
        ("zero_size", "different extents"),
        ("crash_allocate", "runs itself"),
        ("crash_input", "a constant of the file"),
    ],
)
def test_a_model_that_cannot_be_changed_says_why(name: str, reason: str) -> None:
    path = own(f"{name}.tflite")
    with pytest.raises(ModelError, match=reason):
        rebatched(path, read_model(path), 4, {})


def test_a_batch_beyond_32_bits_is_refused() -> None:
    with pytest.raises(ModelError, match="32 bits"):
        changed(chain((1, 2, 2), lambda c: c.op("RESHAPE", (4,), np.array([-1], np.int32))), 2**30)


# ------------------------------------------------------------------------------ what must be kept


def test_everything_else_is_kept() -> None:
    data = own("two_signatures.tflite").read_bytes()
    before, made = read_model(own("two_signatures.tflite")), changed(data, 4)
    after = _graph(made)
    assert after.signatures == before.signatures
    assert after.metadata == before.metadata
    assert after.description == before.description
    assert [p.signature for p in made.ports] == [None, before.signatures[1].key]
    for old, new in zip(before.subgraphs, after.subgraphs, strict=True):
        assert old.operators == new.operators
        assert [(t.name, t.dtype, t.buffer_bytes) for t in old.tensors] == [
            (t.name, t.dtype, t.buffer_bytes) for t in new.tensors
        ]


def test_the_same_batch_changes_nothing_but_the_order_of_the_bytes() -> None:
    for path in sorted(own("x").parent.glob("*.tflite")):
        try:
            graph = read_model(path)
            made = rebatched(path, graph, 1, {})
        except ModelError:
            continue
        if made.batch == 1:
            assert _graph(made).subgraphs == graph.subgraphs or any(
                "signature" in str(t) for t in graph.main.tensors
            )
            assert made.resized == 0 and not made.pinned


def test_constants_stay_aligned() -> None:
    made = changed(own("cnn_int8.tflite").read_bytes(), 3)
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(made.data)
    places = [
        model.Buffers(i)._tab.Vector(model.Buffers(i)._tab.Offset(4))
        for i in range(model.BuffersLength())
        if model.Buffers(i).DataLength()
    ]
    assert places and all(place % 16 == 0 for place in places)


def test_files_behind_the_model_are_carried_over(tmp_path: Path) -> None:
    path = tmp_path / "labelled.tflite"
    path.write_bytes(own("lstm_fused.tflite").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "one\ntwo\n")
    made = rebatched(path, read_model(path), 4, {})
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        assert archive.read("labels.txt") == b"one\ntwo\n"
    opened(made.data)


def test_files_behind_the_model_that_cannot_be_read_are_not_lost_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "labelled.tflite"
    path.write_bytes(own("lstm_fused.tflite").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "one\ntwo\n")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"one\ntwo\n", b"one\nTwo\n"))  # its checksum is wrong now
    with pytest.raises(ModelError, match="attached"):
        rebatched(path, read_model(path), 4, {})


def test_a_damaged_model_is_refused_or_written_and_nothing_else() -> None:
    rng, seen = random.Random(7), set()
    paths = sorted(own("x").parent.glob("*.tflite"))
    places = {path: description_of(path) for path in paths}
    with tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / "damaged.tflite"
        for _ in range(1500):
            path = rng.choice(paths)
            damaged.write_bytes(mutated(path.read_bytes(), rng, places[path]))
            try:
                graph = read_model(damaged)
                rebatched(damaged, graph, rng.choice((1, 2, 8)), {})
                seen.add("written")
            except ModelError as error:
                seen.add("refused" if "cannot be changed" in error.message else "unread")
    assert seen == {"written", "refused", "unread"}
