"""How bytes are said in messages. For what explains an ending; the server itself says none."""

from __future__ import annotations

MIB = 1024 * 1024
GIB = 1024 * MIB


def size(count: int) -> str:
    """'763.0 MiB'."""
    if count < GIB:
        return "%.1f MiB" % (count / MIB)
    return "%.2f GiB" % (count / GIB) if count < 1024 * GIB else "%.1f TiB" % (count / GIB / 1024)


def exact(count: int) -> str:
    """'763.0 MiB, 800,000,000 bytes'."""
    return "%s, %s bytes" % (size(count), format(count, ","))
