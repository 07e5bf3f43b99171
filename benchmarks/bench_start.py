"""From the command to a painted window with the example capture, and how much of that is our own code:
what remains above a process that loads the same libraries and paints an empty window."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from figures import at_most, report

ROUNDS = 7
WHOLE, OWN = 2.5, 0.7
EMPTY = """
import sys
import numpy, pyqtgraph
from PySide6 import QtCore, QtGui, QtSvg, QtWidgets

class Window(QtWidgets.QWidget):
    def paintEvent(self, event):
        print("painted", file=sys.stderr, flush=True)

app = QtWidgets.QApplication([])
window = Window()
window.resize(1280, 800)
window.show()
app.exec()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "ARENASCOPE_HOME": home,
            "ARENASCOPE_TRACE_START": "1",
            "QT_QPA_PLATFORM": "offscreen",
        }
        ours: list[float] = []
        empty: list[float] = []
        for number in range(ROUNDS + 1):
            pair = (
                until_painted(["-m", "arenascope"], environment),
                until_painted(["-c", EMPTY], environment),
            )
            if number:  # the first round fills the caches of the disk
                ours.append(pair[0])
                empty.append(pair[1])
    whole, libraries = statistics.median(ours), statistics.median(empty)
    note = f"Qt, pyqtgraph and NumPy with an empty window: {libraries:.3g} s"
    report(
        [
            at_most("start to a painted window with the example", whole, WHOLE, " s"),
            at_most("of which our own code", whole - libraries, OWN, " s", note),
        ]
    )


def until_painted(arguments: list[str], environment: dict[str, str]) -> float:
    """Seconds until a process says on stderr that it has painted; it is ended then."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if line.rstrip().endswith("painted"):
            taken = time.perf_counter() - start
            process.terminate()
            process.communicate()
            return taken
    sys.exit(f"{arguments} never painted: {''.join(lines)}")


if __name__ == "__main__":
    main()
