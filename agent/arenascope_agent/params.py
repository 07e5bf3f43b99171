"""Checks what a request asks for, field by field, before anything is done with it."""

from __future__ import annotations

from . import protocol
from .aside import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEX = frozenset("0123456789abcdef")
_MAX_DIMENSIONS = 16
_MAX_INT32 = 2**31 - 1
_MAX_INDEX_DIGITS = 10
_MAX_PORTS = 1000
_MAX_CASES = 1000


def _refuse(key: str, expected: str) -> Failure:
    return Failure(protocol.INVALID, "%s: %s is expected." % (key, expected))


def integer(params: dict[str, Any], key: str, low: int, high: int) -> int:
    value = params.get(key)
    if type(value) is not int or not low <= value <= high:
        raise _refuse(key, "a whole number from %d to %d" % (low, high))
    return value


def number(params: dict[str, Any], key: str, low: float, high: float) -> float:
    value: Any = params.get(key)
    if type(value) not in (int, float) or not low <= value <= high:
        raise _refuse(key, "a number from %g to %g" % (low, high))
    return float(value)


def flag(params: dict[str, Any], key: str, default: bool) -> bool:
    value = params.get(key, default)
    if type(value) is not bool:
        raise _refuse(key, "true or false")
    return value


def text(params: dict[str, Any], key: str, longest: int = 4096) -> str:
    value = params.get(key)
    if type(value) is not str or not 0 < len(value) <= longest or "\0" in value:
        raise _refuse(key, "a text of 1 to %d characters" % longest)
    return value


def texts(params: dict[str, Any], key: str, most: int, longest: int) -> list[str]:
    value = params.get(key, [])
    if type(value) is not list or len(value) > most:
        raise _refuse(key, "a list of at most %d texts" % most)
    return [text({key: one}, key, longest) for one in value]


def sha256(params: dict[str, Any], key: str = "sha256") -> str:
    value = text(params, key, 64)
    if len(value) != 64 or not _HEX.issuperset(value):
        raise _refuse(key, "64 hexadecimal digits in lower case")
    return value


def mapping(params: dict[str, Any], key: str) -> dict[str, Any]:
    value = params.get(key, {})
    if type(value) is not dict:
        raise _refuse(key, "an object")
    return value


def inspect(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the task ``inspect``, complete and of the right types."""
    threads = params.get("threads")
    delegate = params.get("delegate", "default")
    if delegate not in ("default", "none"):
        raise _refuse("delegate", '"default" or "none"')
    return {
        "model": text(params, "model"),
        "inputs": _shapes(mapping(params, "inputs")),
        "threads": None if threads is None else integer(params, "threads", 1, 1024),
        "delegate": delegate,
        "preserve_all": flag(params, "preserve_all", False),
        "invoke": flag(params, "invoke", True),
        "seed": integer(params, "seed", 0, 2**32 - 1) if "seed" in params else 0,
    }


def layouts(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the task ``layouts``: a model and the cases to lay it out in."""
    cases = params.get("cases")
    if type(cases) is not list or not 0 < len(cases) <= _MAX_CASES:
        raise _refuse("cases", "a list of 1 to %d cases" % _MAX_CASES)
    keys = ("inputs", "threads", "delegate", "preserve_all", "invoke")
    checked = []
    for case in cases:
        if type(case) is not dict:
            raise _refuse("cases", "a list of objects")
        whole = inspect({"invoke": False, **case, "model": params.get("model")})
        checked.append({key: whole[key] for key in keys})
    return {"model": text(params, "model"), "cases": checked}


def _shapes(inputs: dict[str, Any]) -> dict[str, list[int]]:
    for key, shape in inputs.items():
        if not (key.isascii() and key.isdigit() and len(key) <= _MAX_INDEX_DIGITS):
            raise _refuse("inputs", "a tensor index as each key")
        if (
            type(shape) is not list
            or len(shape) > _MAX_DIMENSIONS
            or any(type(size) is not int or not 0 <= size <= _MAX_INT32 for size in shape)
        ):
            raise _refuse("inputs." + key, "a list of at most %d sizes" % _MAX_DIMENSIONS)
    return inputs


def compare_batches(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the task ``compare_batches``."""
    checked = inspect(params)
    entries: Any = params.get("ports")
    if type(entries) is not list or not 0 < len(entries) <= _MAX_PORTS:
        raise _refuse("ports", "a short list of objects")
    return {
        "model": checked["model"],
        "other": text(params, "other"),
        "batch": integer(params, "batch", 1, _MAX_INT32),
        "wanted": integer(params, "wanted", 1, _MAX_INT32),
        "steps": integer(params, "steps", 1, 100),
        "threads": checked["threads"],
        "delegate": checked["delegate"],
        "seed": checked["seed"],
        "ports": [_ports(entry) for entry in entries],
    }


def _ports(entry: Any) -> dict[str, Any]:
    if type(entry) is not dict:
        raise _refuse("ports", "an object")
    sides: dict[str, Any] = {"signature": None}
    if entry.get("signature") is not None:
        sides["signature"] = text(entry, "signature")
    for side in ("inputs", "outputs"):
        ports = entry.get(side)
        if type(ports) is not list or len(ports) > _MAX_PORTS:
            raise _refuse("ports." + side, "a list of objects")
        sides[side] = [_port(port) for port in ports]
    return sides


def _port(port: Any) -> dict[str, Any]:
    if type(port) is not dict or type(port.get("name")) is not str:
        raise _refuse("ports", "a name")
    along = port.get("along")
    if along is not None and (
        type(along) is not list
        or len(along) != 3
        or any(type(one) is not int or not 0 <= one <= _MAX_INT32 for one in along)
    ):
        raise _refuse("ports.along", "axis, outer and inner")
    return {"name": port["name"], "tensor": integer(port, "tensor", 0, _MAX_INT32), "along": along}


#: Every task that a client may run, and the check of its parameters.
TASKS = {"inspect": inspect, "layouts": layouts, "compare_batches": compare_batches}
