"""Keeps what the server has in memory there while a run uses up the board's.

A board without swap makes room by dropping pages of programs, and reads them back when they are needed:
the server stood still for up to 15 s shortly before a kill, on an emulated board, and saw nothing of it.
Pages that it has touched are locked, nothing else, and only during a run. Where the user may not lock
that much (ulimit -l), or the kernel is older than 4.4, everything works as before.
"""

from __future__ import annotations

_MCL_CURRENT, _MCL_ONFAULT = 1, 4


def hold() -> None:
    _call("mlockall", _MCL_CURRENT | _MCL_ONFAULT)


def let_go() -> None:
    _call("munlockall")


def _call(name: str, *arguments: int) -> None:
    try:
        import _ctypes  # what is under ctypes: 0.2 MB instead of 0.7

        own = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # the process with all its libraries
        _ctypes.call_cdeclfunction(_ctypes.dlsym(own, name), arguments)
    except (ImportError, AttributeError, OSError):
        pass  # a Python that was built without it, or does it in another way
