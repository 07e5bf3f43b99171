"""Why an allocation was refused: the limit that decides, beside what was wanted at least.

Runs in the worker, after the refusal. ``facts`` asks the kernel what there was at that moment; the
rest is pure. The rules are those of pi-facts.md §2: an allocation is refused when it alone is larger
than one of the limits; what is in use already counts for few of them. (The limit of a control group
refuses nothing: it kills, when the memory is touched.)
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from . import asking, memory, probes, procfs, runtimes
from .amounts import MIB, exact, size

SMALLER = "use a smaller batch or input"
#: Operators whose first output may lie where an input lies, unless that is the model's input or the output
#: is the model's (tflite-memory.md §2.2).
IN_PLACE = frozenset(
    ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "BITCAST", "ADD", "SUB", "MUL", "DIV", "SOFTMAX",
     "DYNAMIC_UPDATE_SLICE")
)  # fmt: skip
#: Where nothing is known of the wish: less room than this is named as the likely reason.
NEARLY_NOTHING = 64 * MIB
_MOST_SAID = 400

_NUMPY = re.compile(r"array with shape \(([\d, ]*)\) and data type (\w+)")
_ITEM = re.compile(r"\D+(\d+)$")
_OVERFLOWS = ("BytesRequired number of", "is too big", "Maximum allowed dimension", "overflow")


class Facts(NamedTuple):
    """A process and its device at the moment of a refusal. Bytes; None: unknown, or no such limit."""

    bits: int
    overcommit: int | None = None  #: vm.overcommit_memory
    ram: int | None = None
    swap: int | None = None
    commit_limit: int | None = None
    committed: int | None = None
    ceiling: int | None = None
    largest_gap: int | None = None
    vm_size: int | None = None
    vm_data: int | None = None
    rlimit_as: int | None = None
    rlimit_data: int | None = None


class Limit(NamedTuple):
    """``room``: the largest single allocation that this limit lets through, now."""

    room: int
    cause: str
    reason: str  #: as the middle of a sentence
    remedy: str


def facts() -> Facts:
    """Of the calling process."""
    device = procfs.meminfo(_text("/proc/meminfo"))
    own = procfs.status(_text("/proc/self/status"))
    mode = _text("/proc/sys/vm/overcommit_memory").strip()
    space = probes.address_space()
    return Facts(
        bits=struct.calcsize("P") * 8,
        overcommit=int(mode) if mode.isdigit() else None,
        ram=device.get("MemTotal"),
        swap=device.get("SwapTotal"),
        commit_limit=device.get("CommitLimit"),
        committed=device.get("Committed_AS"),
        ceiling=space["ceiling"],
        largest_gap=space["largest_gap"],
        vm_size=own.get("VmSize"),
        vm_data=own.get("VmData"),
        rlimit_as=probes.limit("RLIMIT_AS"),
        rlimit_data=probes.limit("RLIMIT_DATA"),
    )


def limited() -> bool:
    """Whether the user's processes have a limit of their own."""
    return probes.limit("RLIMIT_AS") is not None or probes.limit("RLIMIT_DATA") is not None


def limits(here: Facts) -> list[Limit]:
    """Every limit that can refuse an allocation here, the narrowest first."""
    found = []
    if here.overcommit == 0 and here.ram is not None:
        found.append(_ram_and_swap(here.ram, here.swap or 0))
    if here.overcommit == 2 and here.commit_limit is not None and here.committed is not None:
        found.append(
            Limit(
                max(0, here.commit_limit - here.committed),
                "The kernel had promised all the memory that it may promise",
                "the kernel promises %s at most, %s are promised, which leaves %s (vm.overcommit_memory is 2)"
                % (
                    size(here.commit_limit),
                    size(here.committed),
                    size(max(0, here.commit_limit - here.committed)),
                ),
                "%s, end other programs, or raise vm.overcommit_ratio" % SMALLER,
            )
        )
    wider = "%s, or a 64-bit system" % SMALLER if here.bits == 32 else SMALLER
    if here.bits == 32:
        found.append(
            Limit(
                2**31 - 1,
                "One allocation was of 2 GiB or more, in a 32-bit process",
                "a 32-bit process gets no single allocation of 2 GiB or more",
                wider,
            )
        )
    if here.largest_gap is not None:
        of = "" if here.ceiling is None else " of %s" % size(here.ceiling)
        found.append(
            Limit(
                here.largest_gap,
                "No gap in the address space of the process was large enough",
                "the largest gap in the address space%s is %s" % (of, size(here.largest_gap)),
                wider,
            )
        )
    for limit, used, name, option in (
        (here.rlimit_as, here.vm_size, "address space", "v"),
        (here.rlimit_data, here.vm_data, "data", "d"),
    ):
        if limit is not None and used is not None:
            found.append(
                Limit(
                    max(0, limit - used),
                    "The limit of the user's processes was reached (ulimit -%s)" % option,
                    "the %s of a process is limited to %s (ulimit -%s), %s are taken, which leaves %s"
                    % (name, size(limit), option, size(used), size(max(0, limit - used))),
                    "raise it (ulimit -%s, /etc/security/limits.conf), or %s" % (option, SMALLER),
                )
            )
    return sorted(found)


def _ram_and_swap(ram: int, swap: int) -> Limit:
    if swap:
        cause = "One allocation was larger than RAM and swap together"
        what = "RAM and swap together are %s" % size(ram + swap)
    else:
        cause = "One allocation was larger than the RAM, and there is no swap"
        what = "there are %s of RAM and no swap" % size(ram)
    return Limit(
        ram + swap,
        cause,
        what + ", and the kernel refuses any single allocation above that (vm.overcommit_memory is 0)",
        "%s, or add swap" % SMALLER,
    )


def explain(here: Facts, wanted: int | None, said: str) -> dict[str, Any]:
    """{"message", "findings"}: what was wanted (at least ``wanted`` bytes in one piece; None: unknown), the
    limit that decides, and what to do. ``said``: the runtime's own words."""
    those = limits(here)
    said = runtimes.shorten(said, _MOST_SAID)
    if wanted is None:
        thing, wish = "no memory for what was asked for", "How much was asked for is not known"
    else:
        thing = "no memory for at least %s in one piece" % size(wanted)
        wish = "Wanted: at least %s in one piece" % exact(wanted)
    decides = _decides(here, those, wanted, said)
    if decides is None:
        cause = "An allocation failed; the limit that it met cannot be named"
        why = "that is below every limit known here" if wanted is not None else "the limit cannot be named"
        proof = "Limits: %s" % "; ".join(
            "%s (room for %s)" % (limit.reason, size(limit.room)) for limit in those
        )
        remedy = SMALLER
    else:
        cause, why, remedy = decides.cause, decides.reason, decides.remedy
        beyond = [limit for limit in those if _exceeds(wanted, limit) and limit is not decides]
        also = "; and beyond that: %s" % "; ".join(limit.reason for limit in beyond) if beyond else ""
        proof = why[0].upper() + why[1:] + also
    quoted = " (the runtime said: %s)" % said if said else ""
    return {
        "message": "%s: %s; %s%s" % (thing, why, remedy, quoted),
        "findings": [
            {
                "cause": cause,
                "proof": "%s. %s." % (wish, proof),
                "remedy": remedy[0].upper() + remedy[1:] + ".",
            }
        ],
    }


def _exceeds(wanted: int | None, limit: Limit) -> bool:
    return wanted is not None and wanted > limit.room


def _decides(here: Facts, those: list[Limit], wanted: int | None, said: str) -> Limit | None:
    """The narrowest limit that the wish exceeds; None where none does."""
    if any(word in said for word in _OVERFLOWS):
        bits = here.bits if "BytesRequired" in said else here.bits - 1
        return Limit(
            2**bits - 1,
            "A tensor is larger than a process can count",
            "the bytes of one tensor do not fit into the %d bits of a size" % here.bits,
            SMALLER,
        )
    if wanted is None and those and those[0].room < NEARLY_NOTHING:
        return those[0]._replace(reason="most likely because " + those[0].reason)
    return next((limit for limit in those if _exceeds(wanted, limit)), None)


# ------------------------------------------------------------------------------ what was wanted


def reason(interpreter: Any, model: str, phase: str, said: str) -> dict[str, Any]:
    """What ``explain`` says of a refusal in this process. ``interpreter`` None: there was none yet."""
    mapped = "failed with error '12'" in said  # the model file, as a whole
    wanted = os.stat(model).st_size if mapped else from_words(said)
    if wanted is None and interpreter is not None and phase in ("allocate", "invoke_first", "invoke"):
        wanted = _of_graph(interpreter, phase == "allocate")
    return explain(facts(), wanted, " ".join(said.split()))


def _of_graph(interpreter: Any, arena: bool) -> int | None:
    """The lower bound of the arena of subgraph 0, with the shapes that its tensors have now; else, when the
    arena is there already, the largest of its tensors that is not in the file."""
    details = {int(d["index"]): d for d in interpreter.get_tensor_details()}
    names = asking.node_names(interpreter)
    nodes = [(name, *of) for name, of in zip(names, asking.operands(interpreter))]
    inputs = [int(d["index"]) for d in interpreter.get_input_details()]
    outputs = [int(d["index"]) for d in interpreter.get_output_details()]
    sizes = {i: _size_of(d) for i, d in details.items()}
    if arena:
        return at_least(sizes, inputs, outputs, nodes)
    return max([sizes.get(i, 0) for _, _, gives in nodes for i in gives], default=0) or None


def _size_of(detail: dict[str, Any]) -> int:
    """0 for what has no numbers in it. (4-bit values count as bytes here, but only constants have them.)"""
    from numpy import dtype

    kind = dtype(detail["dtype"])
    if kind.hasobject or kind.kind not in "biufc":
        return 0
    count = int(kind.itemsize)
    for extent in detail["shape"].tolist():
        count *= max(0, extent)
    return count


def from_words(text: str) -> int | None:
    """The bytes of the array that NumPy could not make, from its message."""
    match = _NUMPY.search(text)
    item = _ITEM.match(match[2]) if match else None
    if match is None:
        return None
    count = 1
    for extent in match[1].replace(",", " ").split():
        count *= int(extent)
    return count * (int(item[1]) // 8 if item else 1)


def at_least(
    tensors: dict[int, int],
    inputs: list[int],
    outputs: list[int],
    nodes: list[tuple[str, tuple[int, ...], tuple[int, ...]]],
) -> int | None:
    """The fewest bytes that the arena of a graph can have, as one block.

    ``tensors``: index → bytes of all that are listed; ``nodes``: (name, inputs, outputs), in the order in
    which they run, and those of delegates behind the ones that they replace. The block holds everything
    that is alive at one operator. Counted are the model's inputs (to the end) and what operators make,
    once for each group that may share a place; not the constants, and not scratch. So it is a lower
    bound whatever the planner does. What a delegate keeps inside it is not in the block.
    """
    made = {i for _, _, gives in nodes for i in gives}
    delegates = [node for node in nodes if node[0] == "DELEGATE"]
    if delegates:  # which of the others they replaced is not told
        nodes = delegates
    group = {i: i for i in made.union(inputs)}
    for name, takes, gives in nodes:
        if name in IN_PLACE and gives and gives[0] in made and gives[0] not in outputs:
            own = [i for i in takes if i in made]
            shared = max(own, key=lambda i: tensors.get(i, 0), default=None)
            if shared is not None:
                group[gives[0]] = group[shared]
    last: dict[int, int] = {}
    for step, (_, takes, gives) in enumerate(nodes):
        for i in (*takes, *gives):
            if i in group:
                last[i] = step
    ends = len(nodes)
    for i in (*inputs, *outputs):
        if i in group:
            last[i] = ends
    alive = set(inputs)
    most = _bytes(alive, group, tensors)
    for step, (_, takes, gives) in enumerate(nodes):
        alive.update(i for i in (*takes, *gives) if i in group)
        most = max(most, _bytes(alive, group, tensors))
        alive = {i for i in alive if last.get(i, ends) > step}
    return most or None


def _bytes(alive: Iterable[int], group: dict[int, int], tensors: dict[int, int]) -> int:
    largest: dict[int, int] = {}
    for i in alive:
        largest[group[i]] = max(largest.get(group[i], 0), tensors.get(i, 0))
    return sum(largest.values())


# --------------------------------------------------------------------------------------- helpers


def _text(path: str) -> str:
    return memory.read_all(path).decode("ascii", "replace")
