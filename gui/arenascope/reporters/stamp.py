"""The lines at the foot of every export: what was run, with what, where, when."""

from __future__ import annotations

from ..domain.capture import Capture
from ..domain.plain_text import plain
from ..domain.units import format_bytes
from .redact import redacted


def lines(capture: Capture, redact: bool = True) -> list[str]:
    """Model and its hash; runtime and options; device; date and tool. Plain text, one idea a line."""
    shown = redacted(capture) if redact else capture
    return [_model(shown), _runtime(shown), _device(shown), _made(shown)]


def _model(capture: Capture) -> str:
    model = capture.model
    return _joined(plain(model.name, 80), format_bytes(model.bytes), f"sha256 {plain(model.sha256, 64)}")


def _runtime(capture: Capture) -> str:
    device, options = capture.device, capture.options
    threads = options.threads
    return _joined(
        f"{plain(device.runtime or 'runtime unknown', 40)} {plain(device.runtime_version or '', 40)}",
        f"delegate {plain(options.delegate, 40)}",
        "default threads" if threads is None else f"{threads} thread{'s' * (threads != 1)}",
        "every tensor preserved" if options.preserve_all else "",
        *(f"{plain(name, 40)} {shape_text(shape)}" for name, shape in list(options.inputs.items())[:6]),
        f"and {len(options.inputs) - 6} more inputs" if len(options.inputs) > 6 else "",
    )


def _device(capture: Capture) -> str:
    device = capture.device
    return _joined(
        f"device {plain(device.name, 60)}",
        plain(device.machine or "", 40),
        f"{device.bits}-bit process" if device.bits else "",
        f"kernel {plain(device.kernel, 60)}" if device.kernel else "",
        f"{format_bytes(device.ram_total)} RAM" if device.ram_total is not None else "",
        f"{format_bytes(device.swap_total)} swap" if device.swap_total is not None else "",
        f"Python {plain(device.python, 40)}" if device.python else "",
        f"NumPy {plain(device.numpy, 40)}" if device.numpy else "",
    )


def _made(capture: Capture) -> str:
    return _joined(date_text(capture.created), f"ArenaScope {plain(capture.tool_version, 40)}")


def date_text(created: str | None) -> str:
    """'2026-11-20 14:03:12 UTC' of an ISO 8601 time in UTC; what is no such time as it stands."""
    if created is None:
        return "date unknown"
    text = plain(created, 40)
    day, separator, rest = text.partition("T")
    clock = rest.removesuffix("Z").removesuffix("+00:00").partition(".")[0]
    zone = rest.endswith(("Z", "+00:00"))
    return f"{day} {clock}{' UTC' if zone else ''}" if separator else text


def shape_text(shape: tuple[int, ...] | None) -> str:
    """'1 × 96 × 96 × 3', 'scalar', or 'unknown'."""
    if shape is None:
        return "unknown"
    return " × ".join(str(extent) for extent in shape) if shape else "scalar"


def _joined(*parts: str) -> str:
    return " · ".join(part.strip() for part in parts if part.strip())
