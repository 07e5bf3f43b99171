"""Pictures for others: sharp, stamped, and without names unless asked for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from arenascope.domain.board import Board
from arenascope.errors import FileError
from arenascope.qtmodels.history_model import HistoryEntry
from arenascope.qtmodels.notices import Level, Notice
from arenascope.reporters.redact import redacted
from arenascope.reporters.stamp import lines
from arenascope.views.dialogs.export import ExportDialog
from arenascope.views.dialogs.report import ReportDialog
from arenascope.views.export import ExportOptions, Format, file_name, picture, prepare, stamped_svg
from arenascope.views.main_window import MainWindow
from arenascope.views.panels.live_panel import LivePanel
from arenascope.views.theme import Theme
from tests.support.captures import example_capture, hostile_capture
from tests.support.window import filled_window, make_window

VIEWS = ("arena-map", "tensors", "operators", "live", "memory", "run")
SECRET = "adas-secret-board"


def with_name(window: MainWindow) -> MainWindow:
    capture = example_capture()
    device: Board = replace(capture.device, name=SECRET)
    window.session.add_and_show(HistoryEntry(replace(capture, device=device)))
    window.details.settle()
    return window


def show(window: MainWindow, key: str) -> None:
    if key != "arena-map":
        window.tabs.setCurrentIndex(VIEWS.index(key) - 1)


@pytest.mark.parametrize("key", VIEWS)
@pytest.mark.parametrize("scale", [1, 2])
def test_every_view_becomes_a_picture_with_a_stamp(qtbot: QtBot, key: str, scale: int) -> None:
    window = filled_window(qtbot)
    show(window, key)
    view = window.does.views()[key]
    capture = window.session.capture
    assert capture is not None
    bare = view.image(float(scale))
    made = picture(view, capture, ExportOptions(scale=scale), window.themes.theme)
    assert made.width() == bare.width()
    assert made.height() > bare.height() + 4 * 10 * scale, "four lines of stamp"
    foot = made.copy(0, bare.height() + 4, made.width(), made.height() - bare.height() - 4)
    colors = {foot.pixel(x, y) for x in range(0, foot.width(), 2) for y in range(0, foot.height(), 2)}
    assert len(colors) > 5, "there is text in the foot"


@pytest.mark.parametrize("key", VIEWS)
def test_every_view_becomes_a_drawing_without_names(qtbot: QtBot, key: str) -> None:
    window = with_name(make_window(qtbot))
    show(window, key)
    view, capture = window.does.views()[key], window.session.capture
    assert capture is not None
    theme = window.themes.theme
    for redact in (True, False):
        made = prepare(view, capture, ExportOptions(Format.SVG, 1, redact), theme)().decode()
        root = ElementTree.fromstring(made)
        assert root.tag.endswith("svg")
        said = " ".join(t.strip() for t in root.itertext() if t.strip())
        assert (SECRET in said) is not redact
        assert capture.model.sha256 in re.sub(r"\s+", "", said)
        assert float(root.attrib["height"]) > float(root.attrib["viewBox"].split()[3]) - 1


def test_the_live_view_leaves_names_out_and_keeps_its_stretch(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    capture = example_capture()
    model = replace(capture.model, name=f"/home/{SECRET}/m.tflite")
    window.session.add_and_show(HistoryEntry(replace(capture, model=model)))
    window.tabs.setCurrentWidget(window.live)
    chart = window.live.chart
    chart.set_visible("available", False)
    chart.set_range(capture.samples.t[0], capture.samples.t[-1])
    shown = window.session.capture
    assert shown is not None
    view = window.does.views()["live"]
    assert view.copy is not None
    copied = view.copy(redacted(shown)).widget
    assert isinstance(copied, LivePanel)
    assert copied.chart.view_box.viewRange()[0] == pytest.approx(chart.view_box.viewRange()[0])
    assert copied.chart.selected_range == chart.selected_range
    assert not copied.chart._header.shows("available")
    copied.close()
    names = {p.name for top in shown.samples.processes for p in top.processes}
    assert names
    for redact in (True, False):
        made = prepare(view, shown, ExportOptions(Format.SVG, 1, redact), window.themes.theme)().decode()
        drawn = " ".join(ElementTree.fromstring(made).itertext())
        assert (SECRET in drawn) is not redact
    window.live.begin()
    assert window.does.views()["live"].copy is None, "what goes on is in no capture"


def test_hostile_names_stay_text_in_a_drawing(qtbot: QtBot) -> None:
    window = make_window(qtbot)
    window.session.add_and_show(HistoryEntry(hostile_capture()))
    capture = window.session.capture
    assert capture is not None
    for key in ("arena-map", "tensors"):
        view = window.does.views()[key]
        made = prepare(view, capture, ExportOptions(Format.SVG), window.themes.theme)().decode()
        tags = {node.tag.rpartition("}")[2] for node in ElementTree.fromstring(made).iter()}
        assert "script" not in tags
        assert not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", made))


def test_a_png_is_a_png(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    view, capture = window.does.current_view(), window.session.capture
    assert capture is not None
    data = prepare(view, capture, ExportOptions(Format.PNG, 4), window.themes.theme)()
    image = QImage.fromData(data)
    assert image.width() == view.image(1.0).width() * 4


def test_a_drawing_that_is_none_is_refused(qtbot: QtBot) -> None:
    with pytest.raises(FileError):
        stamped_svg("<html/>", ["a"], Theme.load("light"))


def test_a_drawing_without_room_for_it_is_told_in_words(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = filled_window(qtbot)
    view, capture = window.does.current_view(), window.session.capture
    assert capture is not None
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileError, match="No such file"):
        prepare(view, capture, ExportOptions(Format.SVG), window.themes.theme)


def test_the_stamp_wraps_between_its_ideas(qtbot: QtBot) -> None:
    words = lines(example_capture(), True)
    drawn = '<svg width="10mm" height="9mm" viewBox="0 0 260 200"><rect/></svg>'
    made = stamped_svg(drawn, words, Theme.load("dark"))
    rows = [node.text or "" for node in ElementTree.fromstring(made).iter() if node.tag.endswith("text")]
    assert len(rows) > len(words)
    assert " · ".join(rows).replace(" · ", "") == "".join(words).replace(" · ", "")


def test_copying_puts_the_picture_on_the_clipboard(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    QGuiApplication.clipboard().clear()
    window.actions_["copy_image"].trigger()
    assert not QGuiApplication.clipboard().image().isNull()
    assert "names left out" in window.toast._message.text()
    QGuiApplication.clipboard().clear()


def test_the_view_used_last_is_the_current_one(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    with qtbot.waitActive(window):
        window.activateWindow()
    assert window.does.current_view().key == "arena-map"
    window.tabs.setCurrentWidget(window.operators)
    window.operators.table.setFocus()
    assert window.does.current_view().key == "operators"
    window.map.setFocus()
    assert window.does.current_view().key == "arena-map"


def test_two_keys_write_the_view(qtbot: QtBot, tmp_path: Path) -> None:
    window = filled_window(qtbot)
    window.actions_["export"].trigger()
    dialog = window.findChild(ExportDialog)
    assert not dialog.preview.pixmap().isNull()
    dialog.choose(Format.SVG)
    assert dialog.file.edit.text().endswith(".svg")
    target = tmp_path / "view.svg"
    dialog.file.edit.setText(str(target))
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(target.exists)
    qtbot.waitUntil(window.toast.isVisible)
    assert b"<svg" in target.read_bytes()
    assert window.does.export_options.format is Format.SVG, "remembered"


def test_a_report_is_written_and_opened(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        "arenascope.views.window_actions.QDesktopServices.openUrl",
        lambda url: opened.append(url.toLocalFile()),
    )
    window = with_name(make_window(qtbot))
    window.actions_["report"].trigger()
    dialog = window.findChild(ReportDialog)
    target = tmp_path / "r.html"
    dialog.file.edit.setText(str(target))
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(opened))
    page = target.read_text()
    assert opened == [str(target)]
    assert SECRET not in page
    assert "doorbell_cnn.tflite" in page


@pytest.mark.parametrize(("action", "kind"), [("export", ExportDialog), ("report", ReportDialog)])
def test_a_place_that_cannot_be_written_is_said_where_it_can_be_mended(
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    kind: type[ExportDialog] | type[ReportDialog],
) -> None:
    monkeypatch.setattr("arenascope.views.window_actions.QDesktopServices.openUrl", lambda url: True)
    window = filled_window(qtbot)
    window.actions_[action].trigger()
    dialog = window.findChild(kind)
    assert dialog is not None
    target = tmp_path / "no" / "where.png"
    dialog.file.edit.setText(str(target))
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(dialog.trouble.isVisible)
    assert "where.png" in dialog.trouble.text()
    QGuiApplication.processEvents()
    assert dialog.trouble.height() >= dialog.trouble.heightForWidth(dialog.trouble.width()), "all of it"
    assert dialog.file.edit.height() >= dialog.file.edit.sizeHint().height()
    assert list(tmp_path.iterdir()) == []
    target.parent.mkdir()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    with qtbot.waitSignal(dialog.accepted):
        pass
    assert target.exists()


def test_an_error_after_the_dialog_was_closed_is_not_lost(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    window.actions_["report"].trigger()
    dialog = window.findChild(ReportDialog)
    dialog.reject()
    window.does._not_written(dialog, Notice(Level.ERROR, "The disk is full."))
    assert window.banner.isVisible()


def test_the_folder_that_is_proposed_exists(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, documents = tmp_path, tmp_path / "Documents"
    monkeypatch.setattr(
        "arenascope.views.window_actions.QStandardPaths.writableLocation", lambda _: str(documents)
    )
    monkeypatch.setattr("arenascope.views.window_actions.Path.home", lambda: home)
    window = filled_window(qtbot)
    assert window.does._folder() == str(home)
    documents.mkdir()
    assert window.does._folder() == str(documents)


def test_names_of_files_are_safe(qtbot: QtBot) -> None:
    window = filled_window(qtbot)
    view, capture = window.does.current_view(), example_capture()
    assert file_name(view, capture, "png") == "doorbell_cnn-arena-map.png"
    bad = replace(capture, model=replace(capture.model, name="../../a b<c>:*?.tflite"))
    assert re.fullmatch(r"[\w.-]+", file_name(view, bad, "svg"))
    assert file_name(view, None, "svg") == "arenascope-arena-map.svg"
