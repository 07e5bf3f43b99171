"""PySide6 6.12.0 takes one reference from None with every call that returns nothing; on CPython
below 3.12 the process ends when none is left. The requirement in pyproject.toml keeps it out."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject

CALLS = 1000


def test_calls_that_return_nothing_leave_the_references_of_none_alone() -> None:
    target = QObject()
    target.setObjectName("warm")
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        target.setObjectName("again")
    assert abs(sys.getrefcount(None) - before) < CALLS // 2
