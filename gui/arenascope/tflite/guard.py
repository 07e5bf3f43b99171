"""What stands between the generated schema and a file that nobody vouches for.

The generated accessors follow any offset and believe any count. Three things keep them honest:
flatbuffers itself fails on an offset outside of the file, ``Guarded`` measures a string before it
is copied, and ``Budget`` ends a walk that a small file has made endless by naming the same table
many times.
"""

from __future__ import annotations

import struct
from typing import Any

from .schema import Table, VOffsetTFlags

#: What flatbuffers, struct and NumPy raise on bytes that are no model.
DAMAGE = (struct.error, ValueError, TypeError, IndexError, KeyError, OverflowError)

#: A walk ends here. The largest known models have a few hundred thousand tables and less than
#: 100 MB of names, so what goes beyond was made to exhaust its reader.
_MOST_TABLES = 1_000_000
_MOST_BYTES = 128 * 1024 * 1024

#: Strings and vectors may be shared inside a file, so more than its size may be read from it.
_SHARING = 4

#: An integer costs 4 bytes in a file and ten times that as an element of a tuple.
_INTEGER_COST = 16

#: A vtable starts with two lengths and has two bytes for each field; no table has sixty fields.
_LONGEST_VTABLE = 128
#: Vtables kept. A real file has some dozens.
_MOST_VTABLES = 1000

_SIGNED = struct.Struct("<i")


class Damage(ValueError):
    """The bytes contradict themselves; the text says where."""


class Budget:
    """What may still be read of the description in a file of ``size`` bytes.

    Each method accounts for something about to be read, and raises Damage where the file cannot
    hold it, or where so much has been read that the file must be going round in circles.
    """

    def __init__(self, size: int) -> None:
        #: The vtables met so far, by their places.
        self.vtables: dict[int, tuple[int, ...]] = {}
        self._size = size
        self._bytes = min(_MOST_BYTES, _SHARING * size)
        self._tables = min(_MOST_TABLES, size // 4)  # a reference has four bytes

    def tables(self, count: int, what: str) -> None:
        self._fits(count * 4, count, what)
        self._tables -= count
        if self._tables < 0:
            raise Damage(f"{what}: the file names the same tables again and again")

    def integers(self, count: int, what: str) -> None:
        self._fits(count * 4, count, what)
        self._spend(count * _INTEGER_COST, what)

    def text(self, length: int) -> None:
        self._fits(length, length, "bytes of a name")
        self._spend(length, "names")

    def _fits(self, wanted: int, count: int, what: str) -> None:
        if wanted > self._size:
            raise Damage(f"{what}: {count:,} announced, more than the file can hold")

    def _spend(self, cost: int, what: str) -> None:
        self._bytes -= cost
        if self._bytes < 0:
            raise Damage(f"{what}: the file names the same bytes again and again")


class Guarded(Table):  # type: ignore[misc]  # flatbuffers is untyped
    """A flatbuffers table that will not copy what the file cannot hold, and reads four times as fast.

    The generated accessors call these methods and no others; offsets below zero, which ``struct``
    would count from the end, are refused as in the original.
    """

    __slots__ = ("budget",)

    def __init__(self, table: Table, budget: Budget) -> None:
        super().__init__(table.Bytes, table.Pos)
        self.budget = budget

    def Get(self, flags: Any, off: int) -> Any:
        if off < 0:
            raise Damage(f"an offset of {off}")
        return flags.packer_type.unpack_from(self.Bytes, off)[0]

    def Offset(self, vtableOffset: int) -> int:
        """Place of a field in the table, 0 where it is absent. Tables share their vtables."""
        place = self.Pos - _SIGNED.unpack_from(self.Bytes, self.Pos)[0]
        entries = self.budget.vtables.get(place)
        if entries is None:
            length = self.Get(VOffsetTFlags, place)
            entries = struct.unpack_from(f"<{min(length, _LONGEST_VTABLE) // 2}H", self.Bytes, place)
            if len(self.budget.vtables) < _MOST_VTABLES:
                self.budget.vtables[place] = entries
        index = vtableOffset // 2
        return entries[index] if index < len(entries) else 0

    def GetVectorAsNumpy(self, flags: Any, off: int) -> tuple[Any, ...]:
        """A vector of numbers, as a tuple: NumPy would have to be imported for it."""
        count = self.VectorLen(off)
        self.budget.integers(count, "numbers")
        code = flags.packer_type.format[-1]
        return struct.unpack_from(f"<{count}{code}", self.Bytes, self.Vector(off))

    def String(self, off: int) -> bytes:
        length = self.VectorLen(off - self.Pos)
        self.budget.text(length)
        text: bytes = super().String(off)
        if len(text) != length:
            raise Damage("a name runs past the end of the file")
        return text


def guarded(table: Any, budget: Budget) -> Any:
    """The same generated object, its strings guarded."""
    table._tab = Guarded(table._tab, budget)
    return table


def text_of(raw: bytes | None) -> str:
    """A name of the file. Bytes that are not UTF-8 are replaced, never an error."""
    return "" if raw is None else raw.decode("utf-8", "replace")
