"""The program as it is started: a window with something in it, or words about why there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from arenascope.resources import resource_path

SHOOT = "import sys; from arenascope.app import run; sys.exit(run(sys.argv[2:], screenshot=sys.argv[1]))"


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", **changes}


@pytest.mark.parametrize("example", ["", "lstm.tflite", "cnn.ascope"])
def test_it_starts_closes_and_was_not_empty(tmp_path: Path, example: str) -> None:
    picture = tmp_path / "window.png"
    paths = [str(resource_path("examples", example))] if example else []
    done = subprocess.run(
        [sys.executable, "-c", SHOOT, str(picture), *paths],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    image = QImage(str(picture))
    assert image.width() >= 1000  # the screen of Qt's offscreen platform is narrower than the window can be
    middle = {
        image.pixelColor(x, y).name()
        for x in range(image.width() // 4, 3 * image.width() // 4, 7)
        for y in range(image.height() // 4, image.height() // 2, 7)
    }
    assert len(middle) > 20, "blocks, axes, text"


def test_ctrl_c_closes_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "arenascope"],
        env=environment(ARENASCOPE_TRACE_START="1"),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "painted" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_display_it_says_so(display: str) -> None:
    env = environment(DISPLAY=display, WAYLAND_DISPLAY="")
    del env["QT_QPA_PLATFORM"]
    done = subprocess.run(
        [sys.executable, "-m", "arenascope"],
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "display" in done.stderr or "window cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr
    assert "→" in done.stderr
