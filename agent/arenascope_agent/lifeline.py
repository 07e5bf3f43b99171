"""What a worker does first: make sure that it dies with its server, and before anything else does."""

from __future__ import annotations

import ctypes
import os
import sys

from . import protocol

_PR_SET_PDEATHSIG = 1
SIGKILL = 9  # the module signal makes enums of all of them, and they would stay in the measured process


def tie_to_server() -> None:
    """SIGKILL for this process when the server ends, and the first place in the kernel's OOM choice.

    Leaves at once when the server ended before the tie was made (the parent is another process then).
    """
    die_with(int(os.environ.pop(protocol.ENV_SERVER_PID)))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # raising one's own needs no privilege (pi-facts.md §3.3)
    except OSError:
        pass  # a kernel without it chooses by size, which is the worker as well


def die_with(parent: int) -> None:
    """SIGKILL for this process when ``parent`` ends; leaves at once when it has ended already.

    Only Linux can do it. Elsewhere only the service ``shapes`` runs, which ends with its stdin.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
