"""Dicts that came over the wire → values of the domain.

Nothing that arrives is trusted: whatever is missing, of the wrong type or out of range raises
WireError, and nothing else comes out of bad input. Texts lose what cannot be shown. (The reading of
a model's tensors has its own module, ``reading.py``.)
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import Any

from ..domain.board import AddressSpace, Board, Environment, Limits
from ..domain.measurement import (
    BoardSample,
    Evidence,
    Finding,
    Outcome,
    Phase,
    ProcessMemory,
    Samples,
    Source,
    Status,
    TopProcesses,
)
from ..domain.plain_text import plain
from ..errors import WireError

_STATUSES = frozenset(Status)
_SOURCES = frozenset(Source)
_MAX_FINDINGS = 20
_MAX_BYTES = 1 << 63
_MAX_SECONDS = 1e9
_MAX_CLOCK = 1e12
_MAX_ITEMS = 100_000
_MAX_LOG_LINE = 4096
_MAX_CPU = 1e4


def board(data: dict[str, Any], name: str) -> Board:
    """The answer to ``probe``, which has just arrived: its clock is compared with this computer's."""
    clock = _real(data, "clock", _MAX_CLOCK)
    return Board(
        name=name,
        machine=_text(data, "machine"),
        bits=_bits(data),
        kernel=_text(data, "kernel"),
        page_size=_count(data, "page_size"),
        ram_total=_count(data, "ram_total"),
        ram_available=_count(data, "ram_available"),
        swap_total=_count(data, "swap_total"),
        python=_text(data, "python"),
        numpy=_text(data, "numpy"),
        runtime=_text(data, "runtime"),
        runtime_version=_text(data, "runtime_version"),
        address_space=_address_space(data),
        runtime_errors=tuple(runtime_errors(data).items()),
        multiarch=_text(data, "multiarch", 80),
        libc=_text(data, "libc", 80),
        abi=_text(data, "abi", 20),
        environment=environment(data.get("environment")),
        disk_free=_count(data, "disk_free"),
        swap_free=_count(data, "swap_free"),
        user=_text(data, "user", 80),
        uptime=_real(data, "uptime", _MAX_SECONDS),
        clock_offset=None if clock is None else round(clock - time.time(), 1),
        psi=_flag(data, "psi"),
        memory_cgroup=_flag(data, "memory_cgroup"),
        kernel_log=_flag(data, "kernel_log"),
        limits=limits(data.get("limits")),
    )


def limits(data: Any) -> Limits:
    """The part ``limits`` of a probe; an agent that does not send it knows of none."""
    if data is None:
        return Limits()
    if not isinstance(data, dict):
        raise WireError("The limits are not an object.")
    return Limits(**{field.name: _count(data, field.name) for field in fields(Limits)})


def environment(data: Any) -> Environment | None:
    """What was set up there for this program alone; None where nothing was."""
    if data is None:
        return None
    if not isinstance(data, dict):
        raise WireError("The environment is not an object.")
    packages = []
    for row in _list(data, "packages"):
        if not isinstance(row, list) or len(row) != 2:
            raise WireError("A package of the environment is not [name, version].")
        packages.append((_word({"name": row[0]}, "name"), _text({"version": row[1]}, "version", 80) or ""))
    return Environment(tuple(packages), _count(data, "bytes"))


def runtime_errors(data: dict[str, Any]) -> dict[str, str]:
    """Why each runtime of a ``probe`` cannot be used: package → its error. Empty when not asked."""
    errors = data.get("runtime_errors")
    if errors is None:
        return {}
    if not isinstance(errors, dict) or len(errors) > 20 or not all(isinstance(e, str) for e in errors):
        raise WireError("The errors of the runtimes are not an object.")
    return {plain(package, 80): _text(errors, package, 2000) or "" for package in errors}


def with_runtime(board: Board, data: dict[str, Any]) -> Board:
    """The board with what the worker found: the event ``runtime``."""
    space = _address_space(data)
    return replace(
        board,
        bits=_bits(data) or board.bits,
        python=_text(data, "python") or board.python,
        numpy=_text(data, "numpy"),
        runtime=_text(data, "runtime"),
        runtime_version=_text(data, "runtime_version"),
        address_space=space if space.ceiling is not None else board.address_space,
    )


def phase_start(data: dict[str, Any]) -> tuple[str, float]:
    """(name, seconds since the start of the run)."""
    return _word(data, "name"), _seconds(data, "t")


def phase(data: dict[str, Any]) -> Phase:
    return Phase(
        name=_word(data, "name"),
        seconds=_seconds(data, "seconds"),
        rss_before=_count(data, "rss_before"),
        rss_peak=_count(data, "rss_peak"),
        rss_after=_count(data, "rss_after"),
        anon_after=_count(data, "anon_after"),
        file_after=_count(data, "file_after"),
        start=None if data.get("start") is None else _seconds(data, "start"),
    )


def samples(data: dict[str, Any]) -> Samples:
    """One batch. All curves have the length of ``t``."""
    t = tuple(_seconds({"t": value}, "t") for value in _list(data, "t"))
    return Samples(t, _curve(data, "rss", len(t)), _curve(data, "available", len(t)),
                   _curve(data, "swap_free", len(t)))  # fmt: skip


def _curve(data: dict[str, Any], key: str, length: int) -> tuple[int | None, ...]:
    values = tuple(_count({key: value}, key) for value in _list(data, key))
    if len(values) != length:
        raise WireError(f"The samples have {len(values)} values of {key} and {length} times.")
    return values


def processes(data: dict[str, Any]) -> TopProcesses:
    return TopProcesses(_seconds(data, "t"), _top(data))


def board_sample(data: dict[str, Any]) -> BoardSample:
    """One event of a watch."""
    return BoardSample(
        t=_seconds(data, "t"),
        ram_total=_count(data, "ram_total"),
        available=_count(data, "available"),
        swap_free=_count(data, "swap_free"),
        agent_rss=_count(data, "agent_rss"),
        agent_cpu=_share(data, "agent_cpu"),
        top=_top(data) if data.get("top") is not None else (),
    )


def outcome(data: dict[str, Any]) -> Outcome:
    """The event ``ended``."""
    word = _word(data, "status")
    if word not in _STATUSES:
        raise WireError(f"A run ended with the unknown status “{word}”.")
    log = _list(data, "log") if data.get("log") is not None else []
    return Outcome(
        status=Status(word),
        phase=_text(data, "phase", 80),
        message=_text({**data, "message": _one_line(data.get("message"))}, "message", 4000) or "",
        signal=_text(data, "signal", 40),
        log=tuple(_text({"log": line}, "log", _MAX_LOG_LINE) or "" for line in log),
        findings=_findings(data),
        evidence=_evidence(data),
    )


def refusal(data: dict[str, Any]) -> str:
    """The event ``refused`` of the task ``layouts``."""
    return _text({"message": _one_line(data.get("message"))}, "message", 4000) or "refused without a word"


def _findings(data: dict[str, Any]) -> tuple[Finding, ...]:
    found = _list(data, "findings") if data.get("findings") is not None else []
    if len(found) > _MAX_FINDINGS or not all(isinstance(one, dict) for one in found):
        raise WireError("The findings are not a short list of objects.")
    return tuple(
        Finding(
            cause=_text(one, "cause", 2000) or "",
            proof=_text(one, "proof", 2000) or "",
            remedy=_text(one, "remedy", 2000) or "",
            saves=_count(one, "saves"),
        )
        for one in found
    )


def _evidence(data: dict[str, Any]) -> Evidence | None:
    found = data.get("evidence")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise WireError("The evidence is not an object.")
    source = _word(found, "source")
    if source not in _SOURCES:
        raise WireError(f"The evidence has the unknown source “{source}”.")
    # The clock of a kernel's log may run a little before the one of the run.
    t = _real(found, "t", _MAX_SECONDS, -_MAX_SECONDS)
    return Evidence(Source(source), _text(found, "text", 2000) or "", t)


def _one_line(value: Any) -> Any:
    """A runtime's words with their line breaks as spaces: they are shown on one line."""
    return " ".join(value.split()) if isinstance(value, str) else value


def agent_cost(data: dict[str, Any]) -> tuple[int | None, float | None]:
    """(bytes of the agent's server, its share of one core) from ``ended``."""
    return _count(data, "agent_rss"), _share(data, "agent_cpu")


def sample_count(data: dict[str, Any]) -> int | None:
    """How many samples the run's sampler has taken, from ``ended``."""
    return _count(data, "samples")


def _address_space(data: dict[str, Any]) -> AddressSpace:
    space = data.get("address_space")
    if space is None:
        return AddressSpace(None, None)
    if not isinstance(space, dict):
        raise WireError("The address space is not an object.")
    return AddressSpace(
        _count(space, "ceiling"), _count(space, "largest_gap"), _count(space, "mapped"), _count(space, "data")
    )


def _top(data: dict[str, Any]) -> tuple[ProcessMemory, ...]:
    found = []
    for row in _list(data, "top"):
        if not isinstance(row, list) or len(row) != 3:
            raise WireError("A process is not [pid, name, resident bytes].")
        pid, rss = _count({"pid": row[0]}, "pid"), _count({"rss": row[2]}, "rss")
        if pid is None or rss is None:
            raise WireError("A process has no number or no size.")
        found.append(ProcessMemory(pid, _text({"name": row[1]}, "name", 80) or "", rss))
    return tuple(found)


def _bits(data: dict[str, Any]) -> int | None:
    bits = _count(data, "bits")
    if bits not in (None, 32, 64):
        raise WireError(f"The device has pointers of {bits} bits.")
    return bits


def _count(data: dict[str, Any], key: str) -> int | None:
    value = data.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < _MAX_BYTES:
        raise WireError(f"{key} is {shown(value)} and not a count.")
    return value


def shown(value: object) -> str:
    """A wrong value in a message; a number of a thousand digits is not written out."""
    if isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) <= _MAX_BYTES):
        return plain(repr(value), 40)
    return "a very large number" if isinstance(value, int) else f"a {type(value).__name__}"


def _real(data: dict[str, Any], key: str, limit: float, least: float = 0) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if type(value) not in (int, float) or not least <= value <= limit:  # false for what is not finite, too
        raise WireError(f"{key} is {shown(value)} and not a number from {least:g} to {limit:g}.")
    return float(value)


def _seconds(data: dict[str, Any], key: str) -> float:
    value = _real(data, key, _MAX_SECONDS)
    if value is None:
        raise WireError(f"{key} is missing.")
    return value


def _share(data: dict[str, Any], key: str) -> float | None:
    return _real(data, key, _MAX_CPU)


def _flag(data: dict[str, Any], key: str) -> bool | None:
    value = data.get(key)
    if value is not None and not isinstance(value, bool):
        raise WireError(f"{key} is {shown(value)} and not true or false.")
    return value


def _text(data: dict[str, Any], key: str, limit: int = 400) -> str | None:
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise WireError(f"{key} is not a text.")
    return plain(value, limit)


def _word(data: dict[str, Any], key: str) -> str:
    value = _text(data, key, 80)
    if not value:
        raise WireError(f"{key} is missing.")
    return value


def _list(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list) or len(value) > _MAX_ITEMS:
        raise WireError(f"{key} is not a list, or too long.")
    return value
