"""The window or the command line; the one place where an error becomes an exit code.

    arenascope                      the window
    arenascope model.tflite ...     the window, with these files
    arenascope COMMAND ...          the command line

Exit codes: 0 done, 2 usage, 3 the model or file cannot be used, 4 the device cannot be reached or
refused us, 5 out of memory, 6 the runtime crashed or hung, 130 stopped with Ctrl+C, 1 a fault of ours.

A command is also a race: the agent takes about as long to start as Typer to import. So the agent of
this computer is started first, and what is not needed yet is imported while it starts.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING

from .errors import ArenaScopeError, Cancelled, FileError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

#: What the window opens; a first argument of another kind is a command.
WINDOW_SUFFIXES = (".tflite", ".lite", ".ascope")
#: Commands that begin with a run on a device.
RUNNING_COMMANDS = ("inspect", "report", "rebatch")
#: Options that only print something.
_SILENT = frozenset({"--help", "-h", "--version"})
STOPPED = 130
PIPE_CLOSED = 141
#: What writing our output can meet; files that we write have told their own errors long before.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EROFS)


def main(arguments: list[str] | None = None) -> int:
    """Run, and return the exit code. Whatever is not an error of ours goes to ``sys.excepthook``."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _ready_streams()
    sys.excepthook = _report_fault
    try:
        code = _window(arguments) if _wants_window(arguments) else _command(arguments)
        sys.stdout.flush()
        return code
    except (Cancelled, KeyboardInterrupt) as error:
        if _as_json(arguments):
            _print_error(
                error if isinstance(error, Cancelled) else Cancelled("Stopped as asked.", hint=""), arguments
            )
        elif isinstance(error, Cancelled) and sys.stderr is not None:
            sys.stderr.write(f"{error.message}\n")
        return STOPPED
    except ArenaScopeError as error:
        _print_error(error, arguments)
        return error.exit_code
    except BrokenPipeError:
        _drop_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        _drop_stdout()
        unwritten = FileError(
            f"The output cannot be written: {error.strerror}",
            hint="Make room, or send the output to another place.",
        )
        _print_error(unwritten, [])  # for people: stdout may hold half of a document
        return unwritten.exit_code


def _ready_streams() -> None:
    """Streams that take all that is written: a closed one leads nowhere, a narrow one shows '?'."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # In this order each takes the number that it is missing, before another file does.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_stdout() -> None:
    """Lead what is still buffered nowhere: Python would complain once more when it closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run() -> None:
    """The process: it ends with the exit code of ``main``."""
    code = main()
    if not _wants_window(sys.argv[1:]):
        # Devices are closed and output is written; taking the modules apart would cost 20 ms more.
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _wants_window(arguments: list[str]) -> bool:
    return not arguments or arguments[0].lower().endswith(WINDOW_SUFFIXES)


def _window(arguments: list[str]) -> int:
    for path in arguments:
        if not os.path.exists(path):  # noqa: PTH110 - pathlib is not loaded yet
            raise FileError(f"There is no file {path}.")
    try:
        from PySide6 import QtWidgets  # noqa: F401 - the first that needs libraries of the system
    except ImportError as error:
        raise ArenaScopeError(
            f"The window cannot be loaded: {error}",
            hint="A system library that Qt needs is missing; packaging/system_packages.py names its package.",
        ) from error
    from . import logs
    from .app import run

    with logs.kept():
        return run(arguments)


def _command(arguments: list[str]) -> int:
    if not _runs_here(arguments):
        from .cli.app import run

        if _SILENT.intersection(arguments):
            return run(arguments)  # nothing is logged, so nothing is loaded for it
        from . import logs

        with logs.kept():
            return run(arguments)
    import gc

    from .remote import local

    gc.disable()  # a short life with few cycles; collecting while importing costs 30 ms
    local.prestart()
    try:
        from . import logs
        from .cli.app import run

        with logs.kept():
            return run(arguments)
    finally:
        local.discard_prestarted()
        gc.enable()


def _runs_here(arguments: list[str]) -> bool:
    """Whether this command line will, as far as can be told before parsing, need this computer's agent."""
    if arguments[0] not in RUNNING_COMMANDS or "--help" in arguments:
        return False
    if arguments[0] == "report" and any(a.lower().endswith(".ascope") for a in arguments):
        return False
    devices = [arguments[i + 1 : i + 2] for i, a in enumerate(arguments) if a in ("--device", "-d")]
    devices += [[a.partition("=")[2]] for a in arguments if a.startswith("--device=")]
    return all(device == ["local"] for device in devices)


def _as_json(arguments: list[str]) -> bool:
    return "--json" in arguments or "--json-lines" in arguments


def _print_error(error: ArenaScopeError, arguments: list[str]) -> None:
    from .domain.plain_text import plain

    if _as_json(arguments):
        import json

        document = {
            "schema": "arenascope.error/1",
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "detail": error.detail,
        }
        try:
            print(json.dumps(document), flush=True)  # noqa: T201
            return
        except OSError:
            _drop_stdout()  # the person may still be told
    with contextlib.suppress(OSError):  # and where nobody can be told, the exit code says it
        print(f"arenascope: {plain(error.message, 1000)}", file=sys.stderr)  # noqa: T201
        if error.hint:
            print(f"→ {plain(error.hint, 1000)}", file=sys.stderr)  # noqa: T201


def _report_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A fault of ours: one line for the person, the traceback for a file. Python then exits with 1."""
    import traceback

    from .settings import places

    log = places().log / "fault.log"
    text = "".join(traceback.format_exception(kind, error, trace))
    try:
        _keep_private(log, text)
        where = f"The details are in {log}; please report them."
    except (OSError, FileError) as reason:
        where = f"The details could not be written to {log} ({reason})."
    fault = ArenaScopeError(
        f"A fault in ArenaScope itself: {kind.__name__}: {error}", hint=where, detail=text.rstrip()
    )
    fault.code = "fault"
    _print_error(fault, sys.argv[1:])


def _keep_private(log: Path, text: str) -> None:
    """A traceback may name files, hosts and users: for the user's eyes alone. FileError, OSError."""
    from .store.folders import make_private

    make_private(log.parent)
    log.unlink(missing_ok=True)  # an older one may have been open to others
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        file.write(text.encode("utf-8", "backslashreplace"))


if __name__ == "__main__":
    run()
