"""Compares the agent's reading of a model with what the runtime's own interface says of it.

    PYTHON tests/agent/check_runtime.py MODEL...

runs under any Python from 3.9 on that has a TFLite runtime, and prints one JSON object: the runtime,
how many addresses were compared, and every disagreement. Exit status 1 where there is one.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

AGENT = Path(__file__).resolve().parents[2] / "agent"
if str(AGENT) not in sys.path:
    sys.path.insert(0, str(AGENT))

from arenascope_agent import inputs, layout, mappings, runtimes  # noqa: E402
from arenascope_agent.tasks import reading  # noqa: E402

DELEGATES = ("none", "default")
KINDS = frozenset((*layout.ALLOCATIONS, "delegate"))


class Check:
    """One model with one delegate: ``problems``, and ``compared`` addresses."""

    def __init__(self, model: str, delegate: str) -> None:
        self.problems: list[str] = []
        self.compared = 0
        self._where = f"{os.path.basename(model)}, {delegate}"
        self._file = mappings.mapped_name(model)
        self.runtime = runtimes.load()
        self._interpreter = self.runtime.open(model, None, delegate, False)
        self._interpreter.allocate_tensors()
        self.first = layout.read(self._interpreter, layout.AFTER_ALLOCATE, model)
        self._check(self.first)
        known = reading.after_allocate(self._interpreter, model, lambda _name, _data: None)
        inputs.write(self._interpreter, known["inputs"], known["exact"], 1)
        self._interpreter.invoke()
        self.second = layout.read(self._interpreter, layout.AFTER_INVOKE, model)
        self._check(self.second)
        self._interpreter.invoke()  # refused while a view or the wrapper is held anywhere

    def _say(self, text: str) -> None:
        self.problems.append(f"{self._where}: {text}")

    def _check(self, subgraphs: list[layout.Subgraph]) -> None:
        if (
            hasattr(self._interpreter, "num_subgraphs")
            and len(subgraphs) != self._interpreter.num_subgraphs()
        ):
            self._say(f"{len(subgraphs)} subgraphs are read")
        for subgraph in subgraphs:
            if subgraph.source != layout.FROM_STRUCTURES:
                self._say(f"subgraph {subgraph.number} is read through the {subgraph.source}")
            self._check_nodes(subgraph)
            details = self._details(subgraph.number)
            for tensor in subgraph.tensors:
                self._check_tensor(subgraph, tensor, details.get(tensor.number))

    def _details(self, number: int) -> dict[int, dict[str, Any]]:
        """What the public interface lists; nothing where it cannot name a subgraph."""
        if number == 0:
            return {d["index"]: d for d in self._interpreter.get_tensor_details()}
        if not hasattr(self._interpreter, "num_subgraphs"):
            return {}
        return {d["index"]: d for d in self._interpreter.get_tensor_details(number)}

    def _check_nodes(self, subgraph: layout.Subgraph) -> None:
        nodes, plan = subgraph.nodes, subgraph.plan
        if nodes is None or plan is None:
            self._say(f"subgraph {subgraph.number} has no nodes or no plan")
            return
        if not set(plan) <= {n["index"] for n in nodes}:
            self._say(f"subgraph {subgraph.number} has {plan} as its plan")
        if not subgraph.delegated and plan != tuple(range(len(nodes))):
            self._say(f"subgraph {subgraph.number} has {plan} as its plan without a delegate")
        if subgraph.number == 0:
            self._compare_nodes(nodes)

    def _compare_nodes(self, nodes: list[dict[str, Any]]) -> None:
        try:
            details = self._interpreter._get_ops_details()
        except UnicodeDecodeError:
            return  # a tensor's name is not UTF-8: the interface itself gives up
        real = [(d["op_name"], tuple(d["inputs"].tolist()), tuple(d["outputs"].tolist())) for d in details]
        if real != [(n["name"], n["inputs"], n["outputs"]) for n in nodes]:
            self._say("other nodes than the interpreter's")

    def _check_tensor(
        self, subgraph: layout.Subgraph, tensor: layout.Tensor, detail: dict[str, Any] | None
    ) -> None:
        where = f"subgraph {subgraph.number}, tensor {tensor.number} ({tensor.kind})"
        if tensor.kind not in KINDS:
            self._say(f"{where}: no such kind")
        if tensor.address is not None:
            inside = any(start <= tensor.address < end for start, end in mappings.file_ranges(self._file))
            if inside != (tensor.kind == "mmap_ro") and tensor.kind != "custom":  # custom: another's memory
                self._say(f"{where} lies {'inside' if inside else 'outside'} the model file")
            if tensor.kind in layout.ARENAS and tensor.address % 64:
                self._say(f"{where} is not at a multiple of 64")
        if detail is None or not tensor.bytes or not tensor.shape or tensor.dtype not in layout.VIEWED:
            return  # to ask for a view of it would be one of the traps
        if detail["name"] != tensor.name or tuple(detail["shape"].tolist()) != tensor.shape:
            self._say(f"{where}: the interpreter calls it {detail['name']!r} {detail['shape']}")
        address = self._view(tensor.number, subgraph.number)
        self.compared += 1
        if address != tensor.address:
            self._say(f"{where} is said to be at {tensor.address}, the interpreter has it at {address}")

    def _view(self, index: int, subgraph: int) -> int | None:
        interpreter = self._interpreter
        try:
            if subgraph:
                view = interpreter._interpreter.tensor(interpreter._interpreter, index, subgraph)
            else:
                view = interpreter.tensor(index)()
        except ValueError:
            return None
        return int(view.__array_interface__["data"][0])


def main(models: list[str]) -> int:
    checks = [Check(model, delegate) for model in models for delegate in DELEGATES]
    problems = [text for check in checks for text in check.problems]
    found = {
        "runtime": checks[0].runtime.package,
        "version": checks[0].runtime.version,
        "compared": sum(check.compared for check in checks),
        "problems": problems,
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
