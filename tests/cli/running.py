"""Running the command line as a person does: in a process of its own, or in this one when it is quick."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from arenascope.__main__ import main

#: Characters that a terminal obeys; none of them may ever come from a model or a device.
ESCAPES = frozenset(map(chr, (*range(0x09), *range(0x0B, 0x20), 0x7F, *range(0x80, 0xA0))))


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "arenascope", *(str(argument) for argument in arguments)]


def in_process(*arguments: object) -> Ran:
    """``arenascope ARGUMENTS`` in a process of its own, without a terminal and without stdin."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert "Traceback" not in done.stderr + done.stdout
    return Ran(done.returncode, done.stdout, done.stderr)


def here(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """The same in this process."""
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return Ran(code, out, err)
