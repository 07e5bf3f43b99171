"""One run at a time on a board, whoever asks for it: two would take each other's memory."""

from __future__ import annotations

import fcntl
import os

from . import protocol
from .aside import Failure


class Turn:
    """A lock on a folder of this user. The kernel gives it back when the process ends, however it ends."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._fd = -1

    def take(self) -> None:
        """Failure(busy) when another agent of this user is running something."""
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(os.fstat(fd).st_ino)
            os.close(fd)
            who = " (agent process %d)" % holder if holder else ""
            raise Failure(
                protocol.BUSY,
                "Another ArenaScope client is running something on this device%s." % who,
                "Wait until it has ended, or end it there%s." % (": kill %d" % holder if holder else ""),
            ) from None
        self._fd = fd

    def give_back(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _holder(inode: int) -> int | None:
    """The process that holds the lock on a file, from /proc/locks; None where it is not told."""
    try:
        with open("/proc/locks", "rb") as file:
            lines = file.read(65536).decode("ascii", "replace").splitlines()
    except OSError:
        return None
    for line in lines:
        # "1: FLOCK  ADVISORY  WRITE 4321 08:02:131074 0 EOF"; waiting ones have "->" after the number.
        fields = line.split()
        if len(fields) >= 6 and fields[1] == "FLOCK" and fields[5].endswith(":%d" % inode):
            return int(fields[4]) if fields[4].isdigit() else None
    return None
