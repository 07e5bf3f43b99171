"""What was derived from a layout once is kept with it: the views ask the same again and again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
L = TypeVar("L")


def once_per_layout(derive: Callable[Concatenate[L, P], T]) -> Callable[Concatenate[L, P], T]:
    """Keep the result in the layout itself (as ``cached_property`` does), for each set of arguments.

    For pure functions of a frozen value; whoever gets the result must not change it. Two threads may
    both derive it; they get equal results.
    """

    @wraps(derive)
    def kept(layout: L, /, *args: P.args, **kwargs: P.kwargs) -> T:
        results: dict[Hashable, Any] = vars(layout).setdefault("_derived", {})
        key = (derive.__qualname__, args, tuple(kwargs.items()))
        if key not in results:
            results[key] = derive(layout, *args, **kwargs)
        found: T = results[key]
        return found

    return kept
