"""The first bytes of an agent: what stands before its greeting, and why one did not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from arenascope_agent import protocol

from ..domain.plain_text import plain
from ..errors import DeployError, WireError
from .translate import shown
from .transport import ByteChannel

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Hello:
    """The agent's first frame. ``agent`` is the SHA-256 of its archive, or 'source'; ``boot`` names the
    start of the device; ``taken`` is how many of our frames it has got in this session."""

    agent: str
    pid: int
    python: str
    boot: str = ""
    taken: int = 0


def skip_banner(channel: ByteChannel, name: str) -> bytes:
    """What follows the greeting; all that stands before it is the login's business.

    DeployError when the stream ends before it, WireError when it does not come.
    """
    seen = bytearray()
    while True:
        data = channel.recv(_CHUNK)
        if not data:
            raise _not_started(channel, name, bytes(seen))
        seen += data
        found = seen.find(protocol.GREETING)
        if 0 <= found <= protocol.MAX_BANNER:
            return bytes(seen[found + len(protocol.GREETING) :])
        if len(seen) > protocol.MAX_BANNER:
            raise WireError(
                f"{name} sent {len(seen) // 1024} KiB and no greeting of the agent.",
                hint="Look at what its login files print.",
                detail=plain(bytes(seen[-400:]).decode("utf-8", "replace"), 400),
            )


def _not_started(channel: ByteChannel, name: str, banner: bytes) -> DeployError:
    """Why the far side ended before it greeted: its last lines say, and its exit status."""
    status = channel.exit_status()
    written = channel.stderr_tail() or banner.decode("utf-8", "replace")
    lines = [plain(line, 400) for line in written.splitlines() if line.strip()][-10:]
    reason = f": {lines[-1]}" if lines else "."
    text = " ".join(lines)
    hint = "Run the same command by hand on the device to see what stands in the way."
    if "needs Python" in text:
        hint = "Install Python 3.9 or newer on the device."
    elif status == 127 or "not found" in text or "No such file" in text:
        hint = "Install Python 3.9 or newer on the device: sudo apt install python3"
    ended = "" if status is None else f" (exit status {status})"
    return DeployError(
        f"The agent on {name} did not start{ended}{reason}", hint=hint, detail="\n".join(lines)
    )


def hello(message: dict[str, Any], name: str) -> Hello:
    """The first frame as a value. WireError for anything else."""
    agent, pid, python = message.get("agent"), message.get("pid"), message.get("python")
    if message.get("type") != "hello" or message.get("protocol") != protocol.PROTOCOL:
        raise WireError(
            f"The agent on {name} speaks another protocol than this program.",
            hint="End older agents on the device and connect again.",
            detail=shown(message.get("protocol")),
        )
    boot, taken = message.get("boot", ""), message.get("seen", 0)
    if (
        type(pid) is not int
        or pid < 1  # it may be the process to end: what begins with a minus is more than one
        or not isinstance(agent, str)
        or not isinstance(python, str)
        or not isinstance(boot, str)
        or type(taken) is not int
        or taken < 0
    ):
        raise WireError(f"The agent on {name} introduced itself wrongly.")
    return Hello(plain(agent, 64), pid, plain(python, 40), plain(boot, 40), taken)
