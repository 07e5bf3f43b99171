"""Checked access to the values of a JSON document. Every error names the place and what should be there."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from enum import StrEnum
from typing import TypeVar

from ..errors import StoreError

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

#: Sizes and counts: what fits in a signed 64-bit number.
LARGEST = 2**63 - 1
#: Indices of tensors, operators and steps: the model format counts them in 32 bits.
LARGEST_INDEX = 2**31 - 1
LARGEST_ADDRESS = 2**64 - 1
#: Seconds, either way: thirty years are no measurement.
LARGEST_TIME = 1e9

JsonObject = dict[str, object]


def parse(data: bytes) -> object:
    """The document in ``data``, strictly: UTF-8, one value, no duplicate keys, no NaN. Raises StoreError."""
    if not data.strip():
        raise damaged("the file is empty")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged("it is not text in UTF-8", str(error)) from error
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if _ends_early(text.rstrip(), error):
            raise damaged("it ends in the middle; a part of it is missing", str(error)) from error
        raise damaged(
            f"line {error.lineno}, column {error.colno} is not JSON", f"{error.msg}: {error.pos}"
        ) from error
    except RecursionError as error:
        raise damaged("its values are nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise damaged("it holds a number that is too long", str(error)) from error


def _ends_early(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the error is that the end is missing: nothing follows it but half of a word or number."""
    if error.msg.startswith("Unterminated string"):
        return True
    rest = len(text) - error.pos
    return error.pos > 0 and (rest <= 0 or (rest <= len(r"\u000") and not text.endswith("}")))


def damaged(problem: str, detail: str = "") -> StoreError:
    return StoreError(
        f"The file is damaged: {problem}",
        hint="Copy it again from where it was made, or make it again.",
        detail=detail,
    )


class Fields:
    """One object of a document, and where it stands: ``Fields(raw, "tensors[3]").whole("bytes")``."""

    __slots__ = ("_raw", "where")

    def __init__(self, raw: object, where: str = "") -> None:
        if not isinstance(raw, dict):
            raise damaged(f"{where or 'the document'} must be an object, but is {_shown(raw)}")
        self._raw: JsonObject = raw
        self.where = where

    def has(self, key: str) -> bool:
        return key in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def place(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def fail(self, key: str, expected: str) -> StoreError:
        there = _shown(self._raw[key]) if key in self._raw else "missing"
        return damaged(f"{self.place(key)} must be {expected}, but is {there}")

    def child(self, key: str) -> Fields:
        return Fields(self._raw.get(key), self.place(key))

    def children(self, key: str) -> Iterator[Fields]:
        for number, raw in enumerate(self.items(key)):
            yield Fields(raw, f"{self.place(key)}[{number}]")

    def items(self, key: str) -> list[object]:
        value = self._raw.get(key)
        if not isinstance(value, list):
            raise self.fail(key, "a list")
        return value

    def text(self, key: str) -> str:
        value = self._raw.get(key)
        if not isinstance(value, str):
            raise self.fail(key, "a text")
        return value

    def flag(self, key: str) -> bool:
        value = self._raw.get(key)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def whole(self, key: str, low: int = 0, high: int = LARGEST) -> int:
        value = self._raw.get(key)
        if not _is_whole(value, low, high):
            raise self.fail(key, f"a whole number from {low} to {high}")
        return value  # type: ignore[return-value]  # checked by _is_whole

    def number(self, key: str) -> float:
        value = self._raw.get(key)
        if not _is_number(value):
            raise self.fail(key, "a number up to 10⁹")
        return float(value)  # type: ignore[arg-type]  # checked by _is_number

    def choice(self, key: str, kind: type[E]) -> E:
        try:
            return kind(self.text(key))
        except ValueError:
            raise self.fail(key, "one of " + ", ".join(kind)) from None

    def maybe(self, read: Callable[..., T], key: str, *bounds: int) -> T | None:
        """``read(key)``, or None where the value is null or absent: not known."""
        return None if self._raw.get(key) is None else read(key, *bounds)

    def index(self, key: str) -> int:
        return self.whole(key, 0, LARGEST_INDEX)

    def wholes(self, key: str, low: int = 0, high: int = LARGEST) -> tuple[int, ...]:
        values = self.items(key)
        for number, value in enumerate(values):
            if not _is_whole(value, low, high):
                raise damaged(
                    f"{self.place(key)}[{number}] must be a whole number from {low} to {high}, "
                    f"but is {_shown(value)}"
                )
        return tuple(values)  # type: ignore[arg-type]  # checked above

    def maybe_wholes(self, key: str) -> tuple[int | None, ...]:
        values = self.items(key)
        for number, value in enumerate(values):
            if value is not None and not _is_whole(value, 0, LARGEST):
                raise damaged(
                    f"{self.place(key)}[{number}] must be whole bytes or null, but is {_shown(value)}"
                )
        return tuple(values)  # type: ignore[arg-type]  # checked above

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self.items(key)
        for number, value in enumerate(values):
            if not _is_number(value):
                raise damaged(
                    f"{self.place(key)}[{number}] must be a number up to 10⁹, but is {_shown(value)}"
                )
        return tuple(float(v) for v in values)  # type: ignore[arg-type]  # checked above

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        for number, value in enumerate(values):
            if not isinstance(value, str):
                raise damaged(f"{self.place(key)}[{number}] must be a text, but is {_shown(value)}")
        return tuple(values)  # type: ignore[arg-type]  # checked above


def _is_whole(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and -LARGEST_TIME <= value <= LARGEST_TIME  # type: ignore[operator]


def repeated(values: Iterable[H]) -> H | None:
    """The first value that was there before, found in one pass; None where all differ."""
    seen: set[H] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise damaged(f"the key {_shown(repeated(name for name, _ in pairs))} stands twice in one object")
    return found


def _no_constant(name: str) -> object:
    raise damaged(f"it holds {name}, which is not a number")


def _shown(value: object) -> str:
    """A value in an error message, short whatever it is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"
