"""The answers of the task ``compare_batches``, checked like all that comes over the wire."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

from ..domain.plain_text import plain
from ..domain.rebatch import Difference, Ports
from ..errors import WireError


def request(ports: tuple[Ports, ...]) -> list[dict[str, Any]]:
    """The ports as the task takes them."""
    return [
        {
            "signature": entry.signature,
            **{
                side: [
                    {
                        "name": port.name,
                        "tensor": port.tensor,
                        "along": port.along and [port.along.axis, port.along.outer, port.along.inner],
                    }
                    for port in getattr(entry, side)
                ]
                for side in ("inputs", "outputs")
            },
        }
        for entry in ports
    ]


def differences(data: dict[str, Any], ports: Ports) -> tuple[Difference, ...]:
    """The event ``compared`` for these ports. Raises WireError."""
    found = data.get("outputs")
    if not isinstance(found, list) or len(found) != len(ports.outputs):
        raise WireError("A comparison does not have the outputs of the model.")
    return tuple(_difference(one, port.name) for one, port in zip(found, ports.outputs, strict=True))


def runtime(data: dict[str, Any]) -> str:
    """'ai_edge_litert 2.3.0', of the same event."""
    return plain(str(data.get("runtime") or ""), 80)


def _size(value: Any) -> float:
    """ValueError for what is no distance: an endless scale would allow any difference."""
    size = float(value)
    if not (isfinite(size) and size >= 0):
        raise ValueError(f"{size} is not a size")
    return size


def _difference(one: Any, name: str) -> Difference:
    try:
        largest = one["largest"]
        return Difference(
            name=name,
            dtype=plain(str(one["dtype"]), 40),
            largest=inf if largest is None else _size(largest),
            scale=_size(one["scale"]),
            sample=int(one["sample"]),
            step=int(one["step"]),
            unlike=bool(one["unlike"]),
        )
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise WireError("An output of a comparison is not as it should be.", detail=str(error)) from error
