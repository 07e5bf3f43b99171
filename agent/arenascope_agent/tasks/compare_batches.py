"""The task ``compare_batches``: do two models compute the same, one with a larger batch than the other?

N random samples go through the new model all at once, and through the old one by its own batch, with its
memory emptied before each. Every sample's results are compared, in every step.

    runtime_import → load → all_at_once → one_at_a_time

Inputs depend on seed, input, step and sample alone, so nothing but the new model's results is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .. import runtimes
from ..runtimes import NoRuntimeError, Runtime
from .inspect import is_refusal

Emit = Callable[[str, "dict[str, Any]"], None]

_MAX_MESSAGE = 1500
_WHOLE_RANGE = ("int8", "uint8", "int16", "uint16")
_UNCOMPARED = "this output cannot be compared: its values are %s"


class CompareBatches:
    """One comparison. ``clock``: the CLOCK_MONOTONIC second at which the run began."""

    def __init__(self, emit: Emit, clock: float) -> None:
        self._emit = emit
        self._clock = clock
        self._params: dict[str, Any] = {}
        self.phase = "start"

    def begin(self) -> Runtime:
        self._start("runtime_import")
        try:
            import numpy  # noqa: F401
        except runtimes.BROKEN as error:
            raise NoRuntimeError({"numpy": runtimes.brief(error)}) from error
        return runtimes.load()

    def run(self, runtime: Runtime, params: dict[str, Any]) -> None:
        """Emits "compared" for every entry of ``ports``. What the runtime raises passes through."""
        self._params = params
        for ports in params["ports"]:
            self._start("load")
            new = _Model(runtime, params, params["other"], ports)
            self._start("all_at_once")
            samples = list(range(params["wanted"]))
            made = [new.run(self._inputs(ports, new, step, samples)) for step in range(params["steps"])]
            del new
            self._start("one_at_a_time")
            outputs = self._compare(_Model(runtime, params, params["model"], ports), ports, made)
            self._emit("compared", {"runtime": "%s %s" % runtime[:2], "outputs": outputs})

    def failure(self, error: BaseException) -> dict[str, Any]:
        """The event of what ended the run, as the task inspect gives it."""
        text = str(error)
        silent = isinstance(error, RuntimeError) and not text  # LiteRT from 2.1.6 on, without its arena
        refused = silent or is_refusal(error, True)  # both models have been allocated before, each alone
        if not text:
            text = "out of memory" if refused else type(error).__name__
        return {
            "phase": self.phase,
            "kind": "refused" if refused else "failed",
            "message": runtimes.shorten(text, _MAX_MESSAGE),
            "error": type(error).__name__,
        }

    def _start(self, name: str) -> None:
        self.phase = name
        self._emit("phase_started", {"name": name, "t": time.monotonic() - self._clock})

    def _inputs(self, ports: dict[str, Any], model: _Model, step: int, samples: list[int]) -> list[Any]:
        """Values for each input, in the model's own shape."""
        import numpy

        values = []
        for port, (shape, dtype) in zip(ports["inputs"], model.inputs):
            seed = [self._params["seed"], port["tensor"], step]
            along = port["along"]
            if along is None:
                values.append(_random(numpy.random.default_rng(seed), shape, dtype))
                continue
            axis, outer, inner = along
            one = (*shape[:axis], outer, inner, *shape[axis + 1 :])
            each = [_random(numpy.random.default_rng([*seed, 1 + sample]), one, dtype) for sample in samples]
            values.append(numpy.stack(each, axis + 1).reshape(shape))
        return values

    def _compare(self, old: _Model, ports: dict[str, Any], made: list[list[Any]]) -> list[dict[str, Any]]:
        batch, wanted = self._params["batch"], self._params["wanted"]
        found = [_Difference(port) for port in ports["outputs"]]
        for first in range(0, wanted, batch):
            # The last group may be short of samples; its last one fills it up.
            samples = [min(first + i, wanted - 1) for i in range(batch)]
            old.forget()
            for step in range(self._params["steps"]):
                results = old.run(self._inputs(ports, old, step, samples))
                for difference, result, all_of_them in zip(found, results, made[step]):
                    for place, sample in enumerate(samples):
                        difference.take(
                            difference.of(all_of_them, wanted, sample), difference.of(result, batch, place),
                            sample, step,
                        )  # fmt: skip
        return [difference.told() for difference in found]


class _Model:
    """A model, or one of its signatures: values in, values out, in the order of the ports."""

    def __init__(self, runtime: Runtime, params: dict[str, Any], path: str, ports: dict[str, Any]) -> None:
        self._interpreter = runtime.open(path, params["threads"], params["delegate"], False)
        self._interpreter.allocate_tensors()
        self._ports = ports
        key = ports["signature"]
        self._runner = None if key is None else self._interpreter.get_signature_runner(key)
        if self._runner is None:
            details = {d["index"]: d for d in self._interpreter.get_input_details()}
            inputs = [details[port["tensor"]] for port in ports["inputs"]]
        else:
            named = self._runner.get_input_details()
            inputs = [named[port["name"]] for port in ports["inputs"]]
        self.inputs = [(tuple(int(extent) for extent in d["shape"]), d["dtype"]) for d in inputs]

    def forget(self) -> None:
        """Empty what is kept from one invoke to the next."""
        self._interpreter.reset_all_variables()

    def run(self, values: list[Any]) -> list[Any]:
        if self._runner is not None:
            names = [port["name"] for port in self._ports["inputs"]]
            made = self._runner(**dict(zip(names, values)))
            return [made[port["name"]] for port in self._ports["outputs"]]
        for port, value in zip(self._ports["inputs"], values):
            self._interpreter.set_tensor(port["tensor"], value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(port["tensor"]) for port in self._ports["outputs"]]


class _Difference:
    """One output: how far apart its results were, over all samples and steps."""

    def __init__(self, port: dict[str, Any]) -> None:
        self._along = port["along"]
        self._largest = self._scale = 0.0
        self._at = (0, 0)
        self._unlike = False
        self._first: dict[int, Any] = {}  # of each step
        self._dtype = ""

    def of(self, values: Any, batch: int, sample: int) -> Any:
        """What belongs to one sample. ValueError for a result that has no room for the batch."""
        if self._along is None:
            return values
        axis, outer, inner = self._along
        shape = values.shape
        parts = values.reshape(*shape[:axis], outer, batch, inner, *shape[axis + 1 :])
        return parts.take(sample, axis + 1)

    def take(self, new: Any, old: Any, sample: int, step: int) -> None:
        import numpy

        self._dtype = old.dtype.name
        if old.dtype.kind not in "biufc":
            raise ValueError(_UNCOMPARED % old.dtype.name)
        if new.shape != old.shape or new.dtype != old.dtype:
            raise ValueError("one result has the shape %s, the other %s" % (new.shape, old.shape))
        first = self._first.setdefault(step, old)
        self._unlike = self._unlike or not numpy.array_equal(first, old)
        if not old.size:
            return
        exact = old.dtype.kind not in "fc"
        wide = numpy.int64 if exact else numpy.complex128 if old.dtype.kind == "c" else numpy.float64
        a, b = new.astype(wide), old.astype(wide)
        with numpy.errstate(all="ignore"):
            same = (a == b) | ((a != a) & (b != b))
            apart = float(numpy.where(same, 0, numpy.abs(a - b)).max())
            finite = numpy.abs(b)[numpy.isfinite(b)]
        if finite.size:
            self._scale = max(self._scale, float(finite.max()))
        if apart > self._largest or apart != apart:
            self._largest, self._at = (apart if apart == apart else float("inf")), (sample, step)

    def told(self) -> dict[str, Any]:
        largest = self._largest
        return {
            "dtype": self._dtype,
            "largest": largest if largest != float("inf") else None,  # JSON has no infinity
            "scale": self._scale,
            "sample": self._at[0],
            "step": self._at[1],
            "unlike": self._unlike,
        }


def _random(generator: Any, shape: Any, dtype: Any) -> Any:
    """Values that a model may get: from -1 to 1, over the whole range of a quantized type, and 0 or 1 where
    integers are mostly indices and counts. ValueError for a type that has no such values.

    Each sample has a middle and a spread of its own: plain noise looks all alike to a trained model.
    """
    import numpy

    kind = numpy.dtype(dtype)
    if kind.kind in "iub" and kind.name not in _WHOLE_RANGE:
        return generator.integers(0, 2, shape).astype(kind)
    if kind.kind not in "fciu":
        raise ValueError("an input takes %s, of which no random values can be made" % kind.name)
    middle, spread = generator.uniform(-0.8, 0.8), generator.uniform(0.2, 1)
    values = numpy.clip(middle + spread * generator.uniform(-1, 1, shape), -1, 1)
    if kind.kind == "c":
        return (values + 1j * generator.uniform(-1, 1, shape)).astype(kind)
    if kind.kind == "f":
        return values.astype(kind)
    limits = numpy.iinfo(kind)
    return numpy.rint(limits.min + (values + 1) / 2 * (int(limits.max) - int(limits.min))).astype(kind)
