"""The reader and the runtime must tell the same of one file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arenascope.tflite.reader import read_model
from tests.data.make_models import HERE, SOUND
from tests.support.models import MODELS as SHARED_MODELS

#: Tells of every model named on its command line what the interpreter knows before it allocates.
_ASK = """
import json, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
def plain(value):
    return [int(v) for v in np.atleast_1d(value)] if len(np.atleast_1d(value)) else []
told = {}
for path in sys.argv[1:]:
    it = Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    told[path] = {
        "tensors": [[d["index"], d["name"], np.dtype(d["dtype"]).name, plain(d["shape"]),
                     plain(d["shape_signature"])] for d in it.get_tensor_details()],
        "operators": [[o["op_name"], plain(o["inputs"]), plain(o["outputs"])] for o in it._get_ops_details()],
        "inputs": [d["index"] for d in it.get_input_details()],
        "outputs": [d["index"] for d in it.get_output_details()],
        "signatures": {k: [sorted(v["inputs"]), sorted(v["outputs"])]
                       for k, v in it.get_signature_list().items()},
        "subgraphs": it.num_subgraphs(),
    }
print(json.dumps(told))
"""

_OWN = [HERE / f"{recipe.__name__}.tflite" for recipe in SOUND]

#: NumPy has no type of four bits, and names bytes and objects its own way.
_NUMPY = {"int4": "int8", "string": {"bytes", "bytes8", "object"}, "resource": {"object", "bytes"}}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-c", _ASK, *(str(path) for path in (*_OWN, *SHARED_MODELS))],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    return dict(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize("path", [*_OWN, *SHARED_MODELS], ids=lambda path: path.stem)
def test_the_same_model(told: dict[str, Any], path: Path) -> None:
    runtime, graph = told[str(path)], read_model(path)
    main = graph.main
    assert runtime["subgraphs"] == len(graph.subgraphs)
    assert [[o.name, list(o.inputs), list(o.outputs)] for o in main.operators] == runtime["operators"]
    assert list(main.inputs) == runtime["inputs"]
    assert list(main.outputs) == runtime["outputs"]
    ours = {
        s.key: [sorted(n for n, _ in s.inputs), sorted(n for n, _ in s.outputs)] for s in graph.signatures
    }
    assert ours == runtime["signatures"]
    for index, name, dtype, shape, signature in runtime["tensors"]:
        if index >= len(main.tensors):
            continue  # a temporary that a kernel added
        tensor = main.tensors[index]
        assert tensor.name.split("\0")[0] == name  # the runtime ends names at a NUL
        expected = _NUMPY.get(tensor.dtype, tensor.dtype)
        assert dtype in expected if isinstance(expected, set) else dtype == expected
        assert list(tensor.shape) == shape
        assert list(tensor.shape_signature or tensor.shape) == (signature or shape)


def test_the_shared_models_are_named_when_they_are_absent() -> None:
    if not SHARED_MODELS:
        pytest.skip("../shared/models is not here: the reader was compared on our own models only")
