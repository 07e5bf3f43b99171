"""What a test left on a board: processes and files that were not there after the boot."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from .machine import EmulatedBoard

#: What runs on a Debian board by itself, now or at some later moment.
_SYSTEM = ("/lib/systemd/", "/usr/lib/systemd/", "/sbin/", "/usr/sbin/", "(", "[", "sshd: ")
#: Where programs of ours could leave something.
_PLACES = "/root /home /tmp /var/tmp /dev/shm /run/user"
_CACHES = ("/root/.cache", f"/home/{EmulatedBoard.user}/.cache")
#: What may stay there from one connection to the next: the agent itself and models, by their hash, and the
#: note that ~/.cache is ours as well (remote/deploy.py).
_HASH = "[0-9a-f]" * 64
ALLOWED = (
    f"*/.cache/arenascope/agent/{_HASH}.pyz",
    f"*/.cache/arenascope/agent/{_HASH}.3.*.{_HASH}.pyz",  # compiled there
    f"*/.cache/arenascope/models/{_HASH}",
    "*/.cache/arenascope/.made-the-cache-folder",
)
#: Seconds that a process which is just ending gets.
_GRACE = 20

_LOOK = f"""
ps -ww -eo pid=,ppid=,user=,args=
echo ----
find {_PLACES} -xdev ! -type d 2>/dev/null
echo ---- $$ $PPID
"""


@dataclass(frozen=True)
class Process:
    pid: int
    user: str
    command: str


@dataclass(frozen=True)
class Remains:
    """``processes`` that the system does not start by itself, and the paths of ``files``, none of which
    is a folder."""

    processes: tuple[Process, ...]
    files: frozenset[str]

    def beyond(self, before: Remains, allowed: tuple[str, ...] = ALLOWED) -> Remains:
        """What is here and was not before; ``allowed`` are patterns of paths."""
        known = {process.pid for process in before.processes}
        files = {
            path
            for path in self.files - before.files
            if not any(fnmatch.fnmatchcase(path, pattern) for pattern in allowed)
        }
        return Remains(tuple(p for p in self.processes if p.pid not in known), frozenset(files))

    def __bool__(self) -> bool:
        return bool(self.processes or self.files)

    def __str__(self) -> str:
        processes = [f"process {p.pid} of {p.user} ({p.command[:120]})" for p in self.processes]
        return "; ".join([*processes, *sorted(self.files)])


def look(board: EmulatedBoard) -> Remains:
    """Processes and files of the board at this moment."""
    # Read from stdin, so that nothing of the script is in its own command line.
    listing, files, ids = board.out("sh -s", text=_LOOK).split("----")
    own = {int(word) for word in ids.split()}
    found = []
    for line in listing.splitlines():
        pid, parent, user, command = line.split(None, 3)
        if own.isdisjoint((int(pid), int(parent))) and not command.startswith(_SYSTEM):
            found.append(Process(int(pid), user, command))
    return Remains(tuple(found), frozenset(files.split("\n")) - {""})


def left(board: EmulatedBoard, before: Remains, allowed: tuple[str, ...] = ALLOWED) -> Remains:
    """What is left since ``before``, after a moment of grace for what is just ending."""
    found = look(board).beyond(before, allowed)
    if found.processes:
        pids = " ".join(str(process.pid) for process in found.processes)
        wait = f"for pid in {pids}; do tail -f -s 0.3 --pid=$pid /dev/null; done"
        board.ssh(f"timeout {_GRACE} sh -c '{wait}'")
        found = look(board).beyond(before, allowed)
    return found


def restore(board: EmulatedBoard, found: Remains) -> None:
    """End what was left, remove it, and empty our caches."""
    if found.processes:
        board.ssh("kill -9 " + " ".join(str(process.pid) for process in found.processes))
    names = "".join(f"{path}\n" for path in sorted(found.files))
    caches = "; ".join(f"rm -rf {cache}/arenascope; rmdir {cache} 2>/dev/null" for cache in _CACHES)
    board.out(f"xargs -r -d '\\n' rm -f --; {caches}; true", text=names)
