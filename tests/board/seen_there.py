"""Runs on a board, under its own python3: what the agent says, found in another way. Prints JSON.

python3 - space             the bounds of this process, by asking the kernel for mappings
python3 - addresses MODEL   where an interpreter has its tensors, by its public interface
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import sys
from typing import Any

_NONE, _ANONYMOUS_NORESERVE, _IF_FREE = 0, 0x4022, 0x100000


def space() -> dict[str, Any]:
    """``ceiling``: the address from which on the kernel gives no page. ``largest``: bytes of the largest
    mapping that it gives anywhere."""
    page = mmap.PAGESIZE
    bits = ctypes.sizeof(ctypes.c_void_p) * 8
    found: dict[str, Any] = {"machine": os.uname().machine, "bits": bits, "page_size": page}
    found["maxsize"] = sys.maxsize
    low, high = (1 << 30, 1 << 32) if bits == 32 else (1 << 36, 1 << 52)
    while high - low > page:
        middle = (low + high) // 2 // page * page
        low, high = (middle, high) if _page(middle) else (low, middle)
    found["ceiling"] = high
    found["largest"] = _largest(page, bits)
    return found


def _page(address: int) -> bool:
    """Whether a page can be had there, or is in use already. Gives it back."""
    with open("/proc/self/maps") as file:
        lines = file.readlines()
    for line in lines:
        start, end = (int(word, 16) for word in line.split()[0].split("-"))
        if start <= address < end:
            # The vectors are mapped wherever the ceiling is: ask beside them.
            return _page(end) if "[vectors]" in line else True
    given = _map(address, mmap.PAGESIZE, _IF_FREE)
    return given == address


def _largest(page: int, bits: int) -> int:
    low, high = 0, 1 << min(bits, 48)
    while high - low > page:
        middle = (low + high) // 2 // page * page
        low, high = (middle, high) if _map(0, middle) is not None else (low, middle)
    return low


def _map(address: int, size: int, flags: int = 0) -> int | None:
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    got = libc.mmap(address, size, _NONE, _ANONYMOUS_NORESERVE | flags, -1, 0)
    if got in (None, ctypes.c_void_p(-1).value):
        return None
    libc.munmap(got, size)
    return int(got)


def addresses(model: str) -> dict[str, Any]:
    """index → address of the first subgraph's tensors, None where the interpreter shows no memory."""
    try:
        from ai_edge_litert import interpreter as package
    except ImportError:
        from tflite_runtime import interpreter as package
    plain = package.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    one = package.Interpreter(model_path=model, experimental_op_resolver_type=plain)
    one.allocate_tensors()
    found = {}
    for detail in one.get_tensor_details():
        try:
            found[str(detail["index"])] = one.tensor(detail["index"])().__array_interface__["data"][0]
        except ValueError:
            found[str(detail["index"])] = None
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(space() if sys.argv[1] == "space" else addresses(sys.argv[2])) + "\n")
