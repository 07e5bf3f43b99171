"""The pictures of README.md: the window with the recorded example, every view, light and dark.

    python packaging/screenshots.py [FOLDER]

Drawn without a display, from what every checkout has, so that they look the same wherever they are made.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from arenascope.qtmodels.examples import Examples
from arenascope.qtmodels.session import Session
from arenascope.settings import Settings
from arenascope.views import theme
from arenascope.views.actions import TABS
from arenascope.views.grab import grab
from arenascope.views.main_window import MainWindow

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "screenshots"
SIZE = (1280, 800)
SCALE = 2  # pixels to each logical one: what a page shows on a good screen
THEMES = ("dark", "light")
PATIENCE_MS = 20_000


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["ARENASCOPE_HOME"] = home
        app = QApplication(sys.argv[:1])
        for mode in THEMES:
            shoot(app, mode, folder)
    return 0


def shoot(app: QApplication, mode: str, folder: Path) -> None:
    """``window-MODE.png``, and a picture for each of the lower views."""
    themes = theme.apply(app, mode)
    session = Session(measures_here=True)
    window = MainWindow(session, themes, Settings())
    window.resize(*SIZE)
    window.show()
    shown = QEventLoop()
    session.entryChanged.connect(shown.quit)
    QTimer.singleShot(PATIENCE_MS, shown.quit)
    Examples(session).show()
    shown.exec()
    session.selection.to_busiest_step()
    placement = max(
        session.selection.capture.layout.placements, key=lambda p: p.bytes or 0 if p.in_arena else 0
    )
    session.selection.select(placement.key)
    settle(app)
    save(window, folder / f"window-{mode}.png")
    for number, name in enumerate(TABS[1:], 1):
        window.tabs.setCurrentIndex(number)
        settle(app)
        save(window, folder / f"{name.lower()}-{mode}.png")
    window.close()
    session.close()


def settle(app: QApplication) -> None:
    """Everything that was asked for is drawn: layouts, deferred work, animations of a moment."""
    pause = QEventLoop()
    QTimer.singleShot(600, pause.quit)
    pause.exec()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def save(window: MainWindow, path: Path) -> None:
    grab(window, SCALE).save(str(path))
    print(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
