"""The TFLite runtimes behind one small face, in the order in which they are preferred.

A runtime that can be imported is not yet one that works: tflite-runtime 2.14 with NumPy 2 imports
and then fails in every Interpreter (pi-facts.md §1.3), and wheel tags lie. So ``probe`` builds one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

#: Import names, the first that works wins. Newer kernels first, the 600 MB one last.
PACKAGES = ("ai_edge_litert", "tflite_runtime", "tensorflow")

#: What a package that does not fit this Python, NumPy or C library raises while it is imported or used.
BROKEN = (ImportError, OSError, AttributeError, TypeError, ValueError, RuntimeError, SystemError)

_MAX_TEXT = 700


class NoRuntimeError(Exception):
    """No runtime could be used. ``errors``: package → what it said."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join("%s: %s" % item for item in errors.items()))
        self.errors = errors


class Runtime(NamedTuple):
    """``interpreter`` and ``resolvers`` are the package's Interpreter and OpResolverType."""

    package: str
    version: str
    interpreter: Any
    resolvers: Any

    def open(self, model: str, threads: int | None, delegate: str, preserve_all: bool) -> Any:
        """An Interpreter on a model file. ``delegate`` "none": plain kernels; "default": what the runtime
        does by itself (XNNPACK where it is built in). ``threads`` None: the runtime's own default."""
        resolvers = self.resolvers
        plain = resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        return self.interpreter(
            model_path=model,
            num_threads=threads,
            experimental_op_resolver_type=plain if delegate == "none" else resolvers.AUTO,
            experimental_preserve_all_tensors=preserve_all,
        )


def load() -> Runtime:
    """The first package that can be imported; NoRuntimeError when none can."""
    errors: dict[str, str] = {}
    for package in PACKAGES:
        try:
            return _imported(package)
        except BROKEN as error:
            errors[package] = brief(error)
    raise NoRuntimeError(errors)


def probe() -> dict[str, Any]:
    """What runs here: {"numpy", "runtime", "runtime_version", "runtime_errors"}.

    A package counts only after its Interpreter has prepared the small model that the agent carries.
    The errors are of the packages that come before it, or of all when none works.
    """
    found: dict[str, Any] = {"numpy": None, "runtime": None, "runtime_version": None}
    errors: dict[str, str] = {}
    found["runtime_errors"] = errors
    try:
        import numpy
    except BROKEN as error:
        errors["numpy"] = brief(error)
        return found
    found["numpy"] = numpy.__version__
    from .tiny_model import MODEL

    for package in PACKAGES:
        try:
            runtime = _imported(package)
            runtime.interpreter(model_content=MODEL).allocate_tensors()
        except BROKEN as error:
            errors[package] = brief(error)
            continue
        found["runtime"], found["runtime_version"] = runtime.package, runtime.version
        break
    return found


def _imported(package: str) -> Runtime:
    if package == "ai_edge_litert":
        import ai_edge_litert
        from ai_edge_litert import interpreter as litert

        return Runtime(package, _version(ai_edge_litert), litert.Interpreter, litert.OpResolverType)
    if package == "tflite_runtime":
        import tflite_runtime
        from tflite_runtime import interpreter as tflite

        return Runtime(package, _version(tflite_runtime), tflite.Interpreter, tflite.OpResolverType)
    import tensorflow

    lite = tensorflow.lite
    return Runtime(package, _version(tensorflow), lite.Interpreter, lite.experimental.OpResolverType)


def _version(module: Any) -> str:
    return str(getattr(module, "__version__", "unknown"))


def brief(error: BaseException) -> str:
    """An error's kind and text, short enough for an event that the server opens (4 KiB)."""
    name = type(error).__name__
    text = str(error).strip()
    return shorten("%s: %s" % (name, text) if text else name, _MAX_TEXT)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, of which the last third are the end of the text. JSON writes a
    character outside ASCII with six, so a text with one of them is cut sooner."""
    if not text.isascii():
        limit //= 6
    if len(text) <= limit:
        return text
    tail = limit // 3
    return text[: limit - tail - 3] + " … " + text[-tail:]
