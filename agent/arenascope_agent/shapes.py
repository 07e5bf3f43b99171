"""The service ``shapes``: what this computer's runtime makes of a model's shapes, before anything is placed.

The desktop starts it with its own Python and asks over stdin and stdout, in the frames of protocol.py.
Every question gets a new interpreter: aliases and lifetimes depend on the sizes of the first allocate
(tflite-memory.md §4), an interpreter that grew keeps its old arena, and a new one costs a tenth of a
millisecond. Nothing runs in it, unless there is a tensor whose size only a run can tell.

    event "runtime"        first frame: runtime, version; or "no_runtime" with the errors, and the end
    request "shapes"       model, inputs {index: shape}, whole, divide {inputs, preserve_all} or null
      event "reading"      whole: all subgraphs follow; or: changes to those of the answer before follow
      event "subgraph", "tensors"   as in an inspection
      event "changes"      subgraph, tensors [[index, shape, bytes, kind, has memory], ...]
      event "dividing"     where divide is not null: the subgraphs follow without tensors, with the nodes and
                           the plan that the default delegate leaves for those inputs
      event "invoking"     a run with zeros begins; if it ends well, the subgraphs follow once more
    response               refused, undivided: step, said and error of what the runtime refused, about the
                           shapes and about the delegate; or null. Of a refused run also runs_unchanged,
                           it ends well with the file's shapes; or wanted, available: it was not tried for
                           the bytes it would take

A model that crashes the runtime, or never comes back from it, ends this process; the desktop begins
another.
"""

from __future__ import annotations

import math
import os
from typing import Any

from . import inputs, layout, probes, propagated, protocol, runtimes
from .layout import Subgraph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .runtimes import Runtime

#: What a runtime may raise about a model or its shapes.
_REFUSALS = (RuntimeError, ValueError, MemoryError, OverflowError, TypeError, SystemError)
_MAX_SAID = 4000
#: A run may touch this share of the memory that is available, for sizes that only a run can tell.
_SHARE_OF_MEMORY = 0.5
#: A pointer to it in NumPy's array, its offset and its letters in the tensor, twice while they are copied.
_BYTES_OF_A_TEXT = 32
_READ = 1 << 16


def serve(streams: tuple[int, int]) -> int:
    """Answer until there are no more questions. Exit status."""
    incoming, outgoing = streams
    service = Service(outgoing)
    if not service.begin():
        return 1
    frames = protocol.FrameReader(protocol.MAX_REQUEST)
    while True:
        data = os.read(incoming, _READ)
        if not data:
            return 0
        for payload in frames.feed(data):
            service.answer(protocol.decode_payload(payload))


class Service:
    """Answers on a descriptor."""

    def __init__(self, outgoing: int) -> None:
        self._outgoing = outgoing
        self._held = bytearray()
        self._runtime: Runtime | None = None
        self._sizes: propagated.Propagated | None = None

    def begin(self) -> bool:
        """Load the runtime and say which it is; False where none works."""
        try:
            runtime = self._runtime = runtimes.load()
        except runtimes.NoRuntimeError as error:
            self._event("no_runtime", {"errors": error.errors})
            self._flush()
            return False
        self._event("runtime", {"runtime": runtime.package, "version": runtime.version})
        self._flush()
        return True

    def answer(self, request: dict[str, Any]) -> None:
        """One question. ProtocolError for one that is none."""
        params = request.get("params")
        if request.get("method") != "shapes" or not isinstance(params, dict):
            raise protocol.ProtocolError("no request that is known here")
        interpreter, refused = self._allocated(params, 1, "none", False)
        subgraphs = [] if interpreter is None else self._tell_sizes(interpreter, params)
        undivided = None if params["divide"] is None else self._divide(params["model"], params["divide"])
        if refused is None and _needs_a_run(subgraphs):
            refused = self._invoke(interpreter, params, subgraphs)
        self._send(protocol.response(request["id"], {"refused": refused, "undivided": undivided}))
        self._flush()

    # ------------------------------------------------------------------------------------ the answers

    def _tell_sizes(self, interpreter: Any, params: dict[str, Any]) -> list[Subgraph]:
        model, sizes = params["model"], self._sizes
        if sizes is None or params["whole"] or not sizes.is_of(model):
            sizes = self._sizes = propagated.Propagated(model)
        changes = sizes.changes(interpreter)
        if changes is None:
            self._event("reading", {"whole": True})
            self._tell(sizes.whole(interpreter))
            return sizes.last
        self._event("reading", {"whole": False})
        for part in changes:
            for at in range(0, len(part.rows), layout.CHUNK):
                rows = part.rows[at : at + layout.CHUNK]
                self._event("changes", {"subgraph": part.subgraph, "tensors": rows})
        return sizes.last

    def _invoke(
        self, interpreter: Any, params: dict[str, Any], subgraphs: list[Subgraph]
    ) -> dict[str, Any] | None:
        wanted = _wanted(subgraphs)
        available = probes.memory_available()
        if available is not None and wanted > _SHARE_OF_MEMORY * available:
            return {"step": "invoke", "said": "", "error": "", "wanted": wanted, "available": available}
        self._event("invoking", {})
        self._flush()  # what is known so far must not be lost with this process
        try:
            _run(interpreter, subgraphs[0])
        except _REFUSALS as error:
            refused = _said("invoke", error)
            if refused["said"] and params["inputs"]:
                # Zeros may be no sensible sizes for this model, whatever shapes it gets.
                refused["runs_unchanged"] = self._runs_unchanged(params)
            return refused
        self._tell(layout.read(interpreter, layout.AFTER_INVOKE, params["model"], by_type=True))
        return None

    def _runs_unchanged(self, params: dict[str, Any]) -> bool:
        """Whether a run with zeros comes to its end with the shapes of the file."""
        interpreter, refused = self._allocated({**params, "inputs": {}}, 1, "none", False)
        if interpreter is None or refused is not None:
            return False
        try:
            main = layout.read(interpreter, layout.AFTER_ALLOCATE, params["model"], by_type=True)[0]
            _run(interpreter, main)
        except _REFUSALS:
            return False
        return True

    def _divide(self, model: str, params: dict[str, Any]) -> dict[str, Any] | None:
        self._event("dividing", {})
        self._flush()
        wanted = {"model": model, "inputs": params["inputs"]}
        interpreter, refused = self._allocated(wanted, 1, "default", params["preserve_all"])
        divided = [] if interpreter is None else layout.read(interpreter, layout.AFTER_ALLOCATE, model)
        for subgraph in divided:
            self._tell([subgraph._replace(tensors=[])])
        # Delegates are applied before anything is allocated: the plan holds where only memory is missing.
        if refused is None or any(subgraph.delegated for subgraph in divided):
            return None
        return {**refused, "step": "divide"}

    def _allocated(
        self, params: dict[str, Any], threads: int | None, delegate: str, preserve_all: bool
    ) -> tuple[Any, dict[str, Any] | None]:
        """A new interpreter and what it refused; None for one that cannot even be built."""
        assert self._runtime is not None
        step = "load"
        interpreter = None
        try:
            interpreter = self._runtime.open(params["model"], threads, delegate, preserve_all)
            step = "resize"
            for number, shape in params["inputs"].items():
                interpreter.resize_tensor_input(int(number), shape)
            step = "allocate"
            interpreter.allocate_tensors()
        except _REFUSALS as error:
            return interpreter, _said(step, error)
        return interpreter, None

    # --------------------------------------------------------------------------------------- sending

    def _tell(self, subgraphs: list[Subgraph]) -> None:
        for subgraph in subgraphs:
            for name, data in layout.events(subgraph):
                self._event(name, data)

    def _event(self, name: str, data: dict[str, Any]) -> None:
        self._send(protocol.event(name, data))

    def _send(self, message: dict[str, Any]) -> None:
        self._held += protocol.encode(message)
        if len(self._held) > protocol.MAX_REQUEST:
            self._flush()

    def _flush(self) -> None:
        rest = memoryview(bytes(self._held))
        self._held.clear()
        while rest:
            rest = rest[os.write(self._outgoing, rest) :]


def _run(interpreter: Any, main: Subgraph) -> None:
    """Invoke with zeros. Whatever the runtime raises."""
    inputs.clear(interpreter, main)
    interpreter.invoke()


def _said(step: str, error: BaseException) -> dict[str, Any]:
    said = runtimes.shorten(str(error).strip(), _MAX_SAID)
    return {"step": step, "said": said, "error": type(error).__name__}


def _wanted(subgraphs: list[Subgraph]) -> int:
    """Bytes that a run surely touches: the arenas, and the texts of inputs that are strings."""
    main = subgraphs[0]
    texts = [t for t in main.tensors if t.number in main.inputs and t.dtype == "string"]
    arenas = sum(t.bytes or 0 for s in subgraphs for t in s.tensors if t.kind in layout.ARENAS)
    return arenas + sum(math.prod(t.shape or ()) for t in texts) * _BYTES_OF_A_TEXT


def _needs_a_run(subgraphs: list[Subgraph]) -> bool:
    """Whether a node of a plan makes a tensor whose memory comes only when it runs: what is behind it is
    not prepared before."""
    return any(_makes_dynamic(subgraph) for subgraph in subgraphs)


def _makes_dynamic(subgraph: Subgraph) -> bool:
    runs = None if subgraph.plan is None else set(subgraph.plan)
    kinds: dict[int, str] = {t.number: t.kind for t in subgraph.tensors}
    return any(
        kinds.get(output) == "dynamic"
        for node in subgraph.nodes or ()
        if runs is None or node["index"] in runs
        for output in node["outputs"]
    )
