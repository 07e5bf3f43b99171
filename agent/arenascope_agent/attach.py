"""What SSH runs: join this channel to the server of a session, which outlives it.

A new session begins with this very process: it forks, and the fork becomes the server, so that Python
starts once. Who comes back hands its two descriptors to the server that is there. In both cases a shell
takes this process's place, at a tenth of its memory, and waits until the server lets go of it.
"""

from __future__ import annotations

import _socket
import os
from array import array

from . import protocol, session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    #: (session, listener, descriptor to read the client from, to write to it, the waiting shell)
    Serve = Callable[[session.Address, _socket.socket, int, int, _socket.socket], int]

#: Instead of a number of frames: the client has no session yet.
NEW = "new"
_CONTROL = 3
_WAIT = "read end <&3; exit 0"


def attach(name: str, seen: str, serve: Serve) -> int:
    """Join the session, or begin it for ``seen`` NEW, where the fork becomes ``serve``.

    Returns only where there is no such session (any more), which the client is told, or where its server
    hangs. OSError where a new one cannot be begun.
    """
    session.remove_stale()
    address = session.Address(name)
    if seen == NEW:
        return _begin(address, serve)
    try:
        control = address.connect()
    except BlockingIOError:
        os.write(2, b"The agent of this session does not answer now.\n")
        return 1
    except OSError:
        os.write(1, protocol.GREETING + protocol.encode({"type": "gone", "boot": session.boot_id()}))
        return 0
    control.sendmsg([seen.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array("i", [0, 1]))])
    return _become_a_shell(control)


def _begin(address: session.Address, serve: Serve) -> NoReturn:
    listener = address.listen()
    ours, theirs = _socket.socketpair()
    if os.fork():
        listener.close()
        theirs.close()
        _become_a_shell(ours)
    os.setsid()
    ours.close()
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)  # stderr stays until the server has begun: what stops it there is told the client
    os.close(nothing)
    # The kernel lets go of the waiting shell last, so nothing of ours is left when SSH reports the end.
    os._exit(serve(address, listener, incoming, outgoing, theirs))


def _become_a_shell(control: _socket.socket) -> NoReturn:
    """Keep the SSH channel open until the other end of ``control`` is closed."""
    os.dup2(control.fileno(), _CONTROL)
    os.set_inheritable(_CONTROL, True)  # where it had that number already, dup2 changes nothing
    os.execv("/bin/sh", ["sh", "-c", _WAIT])  # noqa: S606  # this is the shell
