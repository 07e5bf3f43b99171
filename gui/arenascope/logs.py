"""The log of this program: what it did on the network and what went wrong, for a report of a problem.

    with logs.kept():      the command line and the window, each for its whole run

``arenascope.log`` lies in the folder for logs, is the user's alone, and turns over when it is large. The
file is made, and what redacting needs is loaded, with the first record: most commands never write one.
Nothing that is written tells who anybody is or which machines there are (reporters/redact.py); secrets are
never handed to a log at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .errors import ArenaScopeError, LinkError, UsageError


@contextmanager
def kept() -> Iterator[None]:
    """Whatever is logged meanwhile, from INFO on for our own modules, goes to the file."""
    handler = _LogFile()
    root, own = logging.getLogger(), logging.getLogger("arenascope")
    level = own.level
    own.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    except (LinkError, UsageError):
        raise  # whoever connects has logged it; a slip of the pen is none of the log's business
    except ArenaScopeError as error:
        own.info("%s: %s %s", error.code, error.message, error.detail)
        raise
    finally:
        root.removeHandler(handler)
        own.setLevel(level)
        handler.close()


class _LogFile(logging.Handler):
    """Opens the file at the first record. A log that cannot be written is no reason to stop."""

    def __init__(self) -> None:
        super().__init__()
        self._file: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._file is None:
            from .log_file import opened  # most runs never come here

            self._file = opened()
        self._file.handle(record)

    def close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk
                self._file.close()
        super().close()
