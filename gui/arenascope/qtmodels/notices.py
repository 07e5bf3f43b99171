"""What the program has to say to the person in front of it, in calm words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..domain.plain_text import plain
from ..errors import ArenaScopeError
from ..workflow.connect import LOCAL
from .next_steps import NextStep, steps_of


class Level(StrEnum):
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """What, why (``message``), next step (``hint``), evidence (``detail``).

    ``steps`` are the buttons that go with it; they are about the device ``target``, '' for none.
    """

    level: Level
    message: str
    hint: str = ""
    detail: str = ""
    steps: tuple[NextStep, ...] = ()
    target: str = ""

    @classmethod
    def of_error(cls, error: BaseException, doing: str = "", again: str = "", target: str = "") -> Notice:
        """``doing`` says what was being done ("Opening lstm.tflite"); it becomes part of the detail.
        ``again`` is the window's action that does it once more."""
        steps = steps_of(error, again, local=target == LOCAL)
        if isinstance(error, ArenaScopeError):
            return cls(
                Level.ERROR,
                plain(error.message, 500),
                plain(error.hint, 500),
                _joined(doing, error.detail),
                steps,
                target,
            )
        return cls(
            Level.ERROR,
            f"{doing or 'Something'} did not work: an error inside ArenaScope.",
            "Nothing was lost. Copy the details into a report of the problem.",
            _joined(doing, f"{type(error).__name__}: {error}"),
            steps,
            target,
        )


def _joined(*parts: str) -> str:
    return "\n".join(p for p in parts if p)
