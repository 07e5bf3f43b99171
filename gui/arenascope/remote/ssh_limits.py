"""How long each step of a connection may take, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. A board that swaps may need half a minute for a greeting or a login (pi-facts.md §5.3).

    ``connect`` is for TCP, ``banner`` for the server's first line, ``keys`` for the key exchange,
    ``auth`` for each answer to a login, ``channel`` for a channel, for the start of a command on it, and for
    each piece of a file; ``start`` for each step of the agent's start; ``clean`` for looking at what is kept
    on a board and for removing it.

    ``pauses``: a connection that is reset before anybody could log in is tried again after each of
    these. Right after it killed a process for memory, sshd on a board does that once or twice.
    """

    connect: float = 10.0
    banner: float = 30.0
    keys: float = 30.0
    auth: float = 30.0
    channel: float = 30.0
    start: float = 30.0
    clean: float = 120.0
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0)


LIMITS = Limits()
