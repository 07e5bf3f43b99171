"""Which of two versions is the later one: of Python's packages, and of Debian's."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+")


def release(text: str) -> tuple[int, ...]:
    """'2.14.0rc1' → (2, 14, 0): the numbers up to the first part that holds more than a number."""
    found = []
    for part in text.split("."):
        number = _NUMBERS.match(part)
        if number is None:
            break
        found.append(int(number[0]))
        if number[0] != part:
            break
    return tuple(found)


def at_least(version: str, lowest: str) -> bool:
    """Whether a release is not before another: '1.24' is as late as '1.24.0'."""
    given, wanted = release(version), release(lowest)
    length = max(len(given), len(wanted))
    return given + (0,) * (length - len(given)) >= wanted + (0,) * (length - len(wanted))


def compare_debian(left: str, right: str) -> int:
    """Below, at or above 0, as dpkg orders versions: epoch, upstream version, revision."""
    return _compare(_split(left), _split(right))


def satisfies(version: str, relation: str, wanted: str) -> bool:
    """Whether an installed version fits a dependency such as (>= 2.34). No relation: any does."""
    order = compare_debian(version, wanted) if relation else 0
    return {
        "": True, "<<": order < 0, "<=": order <= 0, "<": order <= 0, "=": order == 0,
        ">=": order >= 0, ">": order >= 0, ">>": order > 0,
    }.get(relation, False)  # fmt: skip


def _split(version: str) -> tuple[str, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-")
    return (epoch, upstream, revision) if upstream else (epoch, rest, "")


def _compare(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    for one, other in zip(left, right, strict=True):
        order = _compare_part(one, other)
        if order:
            return order
    return 0


def _compare_part(left: str, right: str) -> int:
    """dpkg's verrevcmp: turns of what is no digit, in an order in which ~ stands before the end, and
    of numbers."""
    while left or right:
        words = [re.match(r"\D*", text) for text in (left, right)]
        first, second = (word[0] if word else "" for word in words)
        for position in range(max(len(first), len(second))):
            order = _weight(first, position) - _weight(second, position)
            if order:
                return order
        left, right = left[len(first) :], right[len(second) :]
        digits = [_NUMBERS.match(text) for text in (left, right)]
        one, other = (number[0] if number else "" for number in digits)
        order = int(one or 0) - int(other or 0)
        if order:
            return order
        left, right = left[len(one) :], right[len(other) :]
    return 0


def _weight(text: str, position: int) -> int:
    if position >= len(text):
        return 0
    character = text[position]
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256
