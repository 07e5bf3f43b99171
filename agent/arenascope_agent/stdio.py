"""Takes the standard streams for the protocol, so that no print of a library can break it."""

from __future__ import annotations

import os


def take() -> tuple[int, int]:
    """(descriptor to read the client from, descriptor to write to it).

    Afterwards fd 0 reads nothing and fd 1 is stderr. The two returned are not inherited by workers.
    """
    incoming = os.dup(0)
    outgoing = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started with stderr closed
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
    os.close(nothing)
    return incoming, outgoing
