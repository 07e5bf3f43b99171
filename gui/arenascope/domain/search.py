"""The one search box: a query that a tensor matches or not.

Terms are joined by AND, separated by spaces:

    text            in the tensor's name, its index as '#12', or its operators' names
    /regex/         on the tensor's name
    size>1MB        also >=, <, <=, =
    kind:arena_rw   the runtime's allocation type (a beginning is enough)
    dtype:int8
    alive@57        alive at that step
    op:CONV_2D      made or read by such an operator
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UsageError
from .layout import MemoryLayout, Placement
from .units import parse_size

Predicate = Callable[[Placement, MemoryLayout], bool]

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}
_SIZE = re.compile(r"size\s*(>=|<=|>|<|=)(.+)", re.IGNORECASE)
_MAX_REGEX = 200
_MAX_DIGITS = 18


class QueryError(UsageError):
    """The query cannot be read; the message says which term and why."""

    code = "query"
    default_hint = "Examples: lstm   /conv_\\d+/   size>64kB   kind:arena_rw   alive@12   op:CONV_2D"


@dataclass(frozen=True)
class Query:
    text: str
    predicates: tuple[Predicate, ...]

    def matches(self, placement: Placement, layout: MemoryLayout) -> bool:
        return all(predicate(placement, layout) for predicate in self.predicates)

    def keys(self, layout: MemoryLayout) -> frozenset[tuple[int, int]]:
        """Keys of all matching tensors."""
        return frozenset(p.key for p in layout.placements if self.matches(p, layout))


def parse_query(text: str) -> Query:
    """Raises QueryError with the term and the reason."""
    return Query(text, tuple(_predicate(term) for term in _terms(text)))


def _terms(text: str) -> list[str]:
    stripped = text.strip()
    if len(stripped) > 1 and stripped.startswith("/") and stripped.endswith("/"):
        return [stripped]  # a regular expression may hold spaces and quotes
    try:
        lexer = shlex.shlex(stripped, posix=True)
        lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
        return list(lexer)
    except ValueError as error:
        raise QueryError(f"The search {text!r} has an open quotation mark.") from error


def _predicate(term: str) -> Predicate:
    lowered = term.lower()
    if len(term) > 1 and term.startswith("/") and term.endswith("/"):
        return _regex(term[1:-1])
    if size := _SIZE.fullmatch(term):
        return _size(term, size[1], size[2])
    if lowered.startswith("kind:"):
        wanted = lowered[5:]
        return lambda p, _: p.kind.value.startswith(wanted)
    if lowered.startswith("dtype:"):
        wanted_type = lowered[6:]
        return lambda p, _: p.dtype.startswith(wanted_type)
    if lowered.startswith("op:"):
        return _operator_name(lowered[3:])
    if lowered.startswith("alive@"):
        digits = lowered[6:]
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
            raise QueryError(f"{term[:40]!r}: after alive@ stands a step, as in alive@12.")
        step = int(digits)
        return lambda p, _: p.alive_at(step)
    return lambda p, layout: (
        lowered in p.name.lower() or lowered == f"#{p.index}" or _of_operator(p, layout, lowered)
    )


def _regex(pattern: str) -> Predicate:
    if len(pattern) > _MAX_REGEX:
        raise QueryError(f"The regular expression is longer than {_MAX_REGEX} characters.")
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise QueryError(f"/{pattern}/ is not a regular expression: {error}.") from error
    return lambda p, _: compiled.search(p.name) is not None


def _size(term: str, comparison: str, text: str) -> Predicate:
    try:
        limit = parse_size(text)
    except ValueError as error:
        raise QueryError(f"{term!r}: {error}.") from error
    compare = _COMPARE[comparison]
    return lambda p, _: p.bytes is not None and compare(p.bytes, limit)


def _operator_name(wanted: str) -> Predicate:
    return lambda p, layout: _of_operator(p, layout, wanted)


def _of_operator(placement: Placement, layout: MemoryLayout, wanted: str) -> bool:
    near = placement.consumers if placement.producer is None else (placement.producer, *placement.consumers)
    return any(wanted in layout.operator_name(placement.subgraph, index).lower() for index in near)
