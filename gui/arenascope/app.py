"""The window's composition root: builds the application, the session and the window, and joins them."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ArenaScopeError

if TYPE_CHECKING:
    from .views.main_window import MainWindow

STARTED = time.perf_counter()
TRACE = "ARENASCOPE_TRACE_START"
#: What a screenshot waits for: layouts, and the parts that are made when nothing else is to do.
_SETTLE_MS = 300


def run(argv_paths: list[str], *, screenshot: str | None = None) -> int:
    """Open the window with these files (without any: the recorded examples) until it is closed.

    ``screenshot`` names a PNG of the window as it stands when the files are shown; then it closes.
    Raises ArenaScopeError where there is no display.
    """
    _check_display()
    from PySide6.QtWidgets import QApplication

    _trace("Qt imported")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("ArenaScope")
    app.setDesktopFileName("arenascope")
    _trace("application")

    from .remote.local import platform_has_proc
    from .settings import places
    from .store import preferences
    from .views import theme

    settings, complaint = preferences.load(places().preferences)
    themes = theme.apply(app, settings.theme.value)
    _trace("theme")

    from .qtmodels.examples import Examples, recorded_for
    from .qtmodels.excepthooks import ExceptHooks
    from .qtmodels.next_steps import NextStep
    from .qtmodels.notices import Level, Notice
    from .qtmodels.session import Session
    from .views.main_window import MainWindow

    _trace("modules")
    session = Session(measures_here=platform_has_proc())
    # Qt styles a widget anew whenever it is put into another: the sheet waits until all are in place.
    sheet = app.styleSheet()
    app.setStyleSheet("")
    window = MainWindow(session, themes, settings)
    app.setStyleSheet(sheet)
    hooks = ExceptHooks(session.bridge)
    hooks.install()
    _trace("window built")
    if complaint:
        steps = (NextStep("Copy Details", copies=complaint),)
        window.show_notice(Notice(Level.WARNING, complaint, steps=steps))
    paths = [Path(p) for p in argv_paths]
    if not paths:
        Examples(session).show()
    for path in paths:
        if recorded_for(path) is not None:
            Examples(session, path.stem).show()
        else:
            session.open(path)
    window.show()
    _trace("shown")
    # Python looks at signals between two of its own steps; the bridge's timer makes many of them.
    before = signal.signal(signal.SIGINT, lambda *_: window.close())
    session.boards.reload()
    window.recents.load()
    _when_filled(window, screenshot)
    try:
        code = app.exec()
    finally:
        signal.signal(signal.SIGINT, before)
        hooks.remove()
        session.close()
    return int(code)


def _when_filled(window: MainWindow, screenshot: str | None) -> None:
    """After the first picture: take it if it is wanted, else ask this computer what it has."""
    from PySide6.QtCore import QTimer

    from .workflow.connect import LOCAL

    def painted() -> None:
        _trace("painted")
        if screenshot is not None:
            window.grab().save(screenshot)
            window.close()
        else:
            window.session.boards.check(LOCAL, quiet=True)

    def filled(_entry: object) -> None:
        _trace("filled")
        window.session.entryChanged.disconnect(filled)
        QTimer.singleShot(_SETTLE_MS if screenshot is not None else 0, painted)

    window.session.entryChanged.connect(filled)


def _check_display() -> None:
    """Say in words what Qt would abort the whole process for."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise _no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
    import ctypes

    import PySide6

    plugin = Path(PySide6.__path__[0]) / "Qt/plugins/platforms/libqxcb.so"
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
        if plugin.exists():
            ctypes.CDLL(str(plugin))
    except OSError as error:
        raise ArenaScopeError(
            f"The window cannot be opened: {error}.",
            hint="Install the packages that packaging/system_packages.py window names.",
        ) from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if refused:
        raise _no_display(f"no X server answers at DISPLAY={os.environ['DISPLAY']}")


def _no_display(why: str) -> ArenaScopeError:
    return ArenaScopeError(
        f"The window needs a display: {why}.",
        hint="Without one, use: arenascope inspect MODEL, or arenascope report MODEL -o report.html",
    )


def _trace(what: str) -> None:
    if os.environ.get(TRACE):
        wall, cpu = 1000 * (time.perf_counter() - STARTED), 1000 * time.process_time()
        print(f"{wall:7.0f} ms, {cpu:7.0f} ms of a core  {what}", file=sys.stderr)  # noqa: T201
