"""What a worker does first: make sure that it dies with its server, and before anything else does."""

from __future__ import annotations

import ctypes
import os
import signal

from . import protocol

_PR_SET_PDEATHSIG = 1


def tie_to_server() -> None:
    """SIGKILL for this process when the server ends, and the first place in the kernel's OOM choice.

    Leaves at once when the server ended before the tie was made (the parent is another process then).
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(os.environ.pop(protocol.ENV_SERVER_PID)):
        os._exit(1)
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # raising one's own needs no privilege (pi-facts.md §3.3)
    except OSError:
        pass  # a kernel without it chooses by size, which is the worker as well
