"""What a board lacks, why that matters, and the exact next step for each."""

from __future__ import annotations

from dataclasses import dataclass

from .board import Board
from .provision import NoRecipe, choose, setup_command
from .units import format_bytes, format_span

#: Bytes on the disk below which neither an environment nor a model of any size finds room.
FEW_BYTES = 200 * 1024 * 1024
#: Seconds that a clock may be off: asking takes a moment, and an hour of drift a year is usual.
CLOCK_OFF = 120.0
#: Where a Raspberry Pi has its kernel's options.
_CMDLINE = "/boot/firmware/cmdline.txt (/boot/cmdline.txt on older systems)"


@dataclass(frozen=True, slots=True)
class Lack:
    """``next`` is a command or an instruction, ready to be followed."""

    what: str
    why: str
    next: str


def lacks(board: Board) -> tuple[Lack, ...]:
    """What is missing on a board, the most needed first. What is not known is not missing."""
    found = [*_runtime(board)]
    if board.disk_free is not None and board.disk_free < FEW_BYTES:
        found.append(
            Lack(
                "free disk",
                f"{format_bytes(board.disk_free)} are free where models and runtimes are kept.",
                "Free some space there: du -xh ~ / 2>/dev/null | sort -h | tail -20 shows what takes it.",
            )
        )
    if board.swap_total == 0:
        found.append(
            Lack(
                "swap",
                "Without swap, a run that needs more than the free memory is killed at once.",
                "sudo fallocate -l 512M /swapfile && sudo chmod 600 /swapfile && sudo mkswap /swapfile && "
                "sudo swapon /swapfile",
            )
        )
    if board.clock_offset is not None and abs(board.clock_offset) > CLOCK_OFF:
        way = "ahead" if board.clock_offset > 0 else "behind"
        found.append(
            Lack(
                "the right time",
                f"Its clock is {format_span(abs(board.clock_offset))} {way}. Runs are timed by another clock "
                "and are right; the dates of its files and logs are not.",
                "sudo timedatectl set-ntp true, or without a network, in the time of this computer: "
                'sudo date -s "YYYY-MM-DD HH:MM"',
            )
        )
    if board.psi is False:
        found.append(
            Lack(
                "pressure figures (PSI)",
                "The kernel does not say how long processes wait for memory.",
                f"Add psi=1 to the one line of {_CMDLINE} and reboot.",
            )
        )
    if board.memory_cgroup is False:
        found.append(
            Lack(
                "memory cgroup",
                "The kernel does not count the memory of groups, so a kill by a limit cannot be proved.",
                f"Add cgroup_enable=memory cgroup_memory=1 to the one line of {_CMDLINE} and reboot.",
            )
        )
    return (*found, *lacks_kernel_log(board))


def lacks_kernel_log(board: Board) -> tuple[Lack, ...]:
    """What keeps the reason of a kill from being proved, where it is known to."""
    if board.kernel_log is not False:
        return ()
    user = board.user or "$USER"
    return (
        Lack(
            "the kernel's log",
            "This user may not read it, so it cannot be proved why a process was killed.",
            f"sudo usermod -aG adm {user}, then log in again.",
        ),
    )


def _runtime(board: Board) -> tuple[Lack, ...]:
    if not board.lacks_runtime:
        return ()
    chosen = choose(board)
    if isinstance(chosen, NoRecipe):
        return (Lack("a TensorFlow Lite runtime", chosen.reason, chosen.next),)
    needs = f"{chosen.runtime.name} {chosen.runtime.version}"
    what = "a TensorFlow Lite runtime"
    why = f"None works there; {needs} can be had ({chosen.why})."
    if board.numpy is None:
        what += " and NumPy"
    elif not chosen.numpy_fits(board.numpy):
        lowest, below = chosen.numpy_from_version, chosen.numpy_below
        fits = f"{lowest} or newer" + (f" and before {below}" if below else "")
        why += f" Its NumPy {board.numpy} does not fit: {needs} needs {fits}."
    return (Lack(what, why, setup_command(board)),)
