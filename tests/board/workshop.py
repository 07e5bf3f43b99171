"""Runs the tools that build one part. Their words go to a log; a line now and then to the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

#: Seconds between two lines of a tool on the terminal, so that a long step is seen to live.
_EVERY = 10.0
_TAIL = 12


class BoardBuildError(RuntimeError):
    """A part cannot be built here; the message says what failed and what to do."""


class Workshop:
    """``log`` takes everything that the tools print; it stays when the build fails."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._log = log
        self._started = self._said = time.monotonic()
        log.write_text("")

    def say(self, text: str) -> None:
        self._said = time.monotonic()
        sys.stderr.write(f"{self._name} {self._said - self._started:4.0f} s  {text}\n")
        sys.stderr.flush()

    def run(
        self, command: list[str], *, cwd: Path | None = None, text: str | None = None, attempts: int = 1
    ) -> None:
        """Run it, again after a pause when it fails and ``attempts`` allow it. BoardBuildError."""
        for attempt in range(attempts):
            status, tail = self._once(command, cwd, text)
            if status == 0:
                return
            if attempt + 1 < attempts:
                time.sleep(5 * (attempt + 1))  # a mirror in the middle of its own update
        raise BoardBuildError(
            f"{' '.join(command[:3])} … ended with {status}. It said last:\n{tail}\nAll of it: {self._log}"
        )

    def output(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BoardBuildError(f"{' '.join(command[:3])} … ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _once(self, command: list[str], cwd: Path | None, text: str | None) -> tuple[int, str]:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        tail: deque[str] = deque(maxlen=_TAIL)
        with (
            self._log.open("a") as log,
            subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
        ):
            log.write(f"$ {' '.join(command)}\n")
            if text is not None and process.stdin is not None:
                process.stdin.write(text)  # a few bytes: a pipe takes them at once
                process.stdin.close()
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                tail.append(line.rstrip())
                if time.monotonic() - self._said > _EVERY:
                    self.say(line.strip()[:90])
        return process.returncode, "\n".join(tail)
