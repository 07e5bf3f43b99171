"""Pictures for others: the current view with its stamp under it, names taken out unless asked for."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QImageWriter, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from ..domain.capture import Capture
from ..errors import FileError
from ..reporters.redact import redacted
from ..reporters.stamp import lines
from .theme import Theme, scaled

SCALES = (1, 2, 4)
_PAD = 14.0


class Format(StrEnum):
    PNG = "png"
    SVG = "svg"


@dataclass(frozen=True)
class Exportable:
    """A view that can become a picture.

    ``image`` and ``svg`` render what it shows now. ``copy`` makes the same view of another capture (the one
    without names), as large as the view; it is used only where the names make a difference.
    """

    key: str
    title: str
    image: Callable[[float], QImage]
    svg: Callable[[Path], None]
    copy: Callable[[Capture], Exportable] | None = None
    widget: QWidget | None = None
    names_hosts: bool = False  #: the view shows names of hosts, not only of tensors


@dataclass(frozen=True, slots=True)
class ExportOptions:
    format: Format = Format.PNG
    scale: int = 2
    redact: bool = True


def picture(view: Exportable, capture: Capture, options: ExportOptions, theme: Theme) -> QImage:
    """The view at ``options.scale`` with its stamp under it."""
    with _without_names(view, capture, options) as source:
        image = source.image(float(options.scale))
    image.setDevicePixelRatio(1.0)
    return _stamped(image, lines(capture, options.redact), theme, options.scale)


def prepare(view: Exportable, capture: Capture, options: ExportOptions, theme: Theme) -> Callable[[], bytes]:
    """Paint now, on the GUI thread; what is returned makes the bytes of the file, on any thread.

    Raises FileError.
    """
    if options.format is Format.PNG:
        made = picture(view, capture, options, theme)
        return lambda: _png(made)
    with _without_names(view, capture, options) as source:
        drawn = _drawn(source)
    document = stamped_svg(drawn, lines(capture, options.redact), theme)
    return document.encode


def _drawn(view: Exportable) -> str:
    """The view as SVG text. Raises FileError, also where there is no room for a temporary file."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "view.svg"
            view.svg(path)
            return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(
            f"The drawing could not be made: {error.strerror or error}.",
            hint="Make room for temporary files, or export it as PNG.",
        ) from error


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, QByteArray(b"PNG")).write(image):
        raise FileError("The picture could not be made.", hint="Choose a smaller scale.")
    return bytes(buffer.data().data())


def file_name(view: Exportable, capture: Capture | None, suffix: str) -> str:
    """'lstm-arena-map.png': safe on every file system."""
    stem = Path(capture.model.name).stem if capture is not None else "arenascope"
    safe = re.sub(r"[^\w.-]+", "-", f"{stem}-{view.key}").strip("-.")[:100]
    return f"{safe or 'arenascope'}.{suffix}"


@contextmanager
def _without_names(view: Exportable, capture: Capture, options: ExportOptions) -> Iterator[Exportable]:
    """The view, or where names make a difference its copy, which is gone afterwards."""
    clean = redacted(capture)
    if not options.redact or view.copy is None or (not view.names_hosts and clean.layout == capture.layout):
        yield view
        return
    copy = view.copy(clean)
    try:
        yield copy
    finally:
        if copy.widget is not None:
            copy.widget.close()  # it is deleted on close


def _stamped(image: QImage, words: list[str], theme: Theme, scale: int) -> QImage:
    font = scaled(QApplication.font(), 0.85)
    # A picture has its own pixels: the font is measured as the view's was, at the logical size.
    metrics = QFontMetricsF(font)
    width = image.width() / scale
    rows = [row for line in words for row in _wrapped(line, metrics, width - 2 * _PAD)]
    height = metrics.lineSpacing() * len(rows) + _PAD * 1.4
    made = QImage(image.width(), image.height() + round(height * scale), image.format())
    made.fill(theme.panel)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    painter.drawImage(0, 0, image)
    painter.scale(scale, scale)
    top = image.height() / scale
    painter.setPen(QPen(theme.border, 1))
    painter.drawLine(round(_PAD), round(top), round(width - _PAD), round(top))
    painter.setFont(font)
    painter.setPen(theme.muted)
    for number, row in enumerate(rows):
        y = top + _PAD * 0.6 + number * metrics.lineSpacing()
        box = QRectF(_PAD, y, width - 2 * _PAD, metrics.lineSpacing())
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextSingleLine, row)
    painter.end()
    return made


def stamped_svg(drawn: str, words: list[str], theme: Theme) -> str:
    """``drawn`` put into a taller document with the stamp as text under it."""
    head = re.search(r"<svg\b[^>]*>", drawn)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head[0]) if head is not None else None
    if head is None or box is None:
        raise FileError("The drawing could not be made.", hint="Export it as PNG.")
    width, height = float(box[1]), float(box[2])
    font = QApplication.font()
    metrics = QFontMetricsF(scaled(QFont(font), 0.85))
    rows = [row for line in words for row in _wrapped(line, metrics, width - 2 * _PAD)]
    size = metrics.height() * 0.78
    total = height + metrics.lineSpacing() * len(rows) + _PAD * 1.4
    inner = re.sub(r'\s(width|height)="[^"]*"', "", head[0])
    inner = inner.replace("<svg", f'<svg x="0" y="0" width="{width:g}" height="{height:g}"', 1)
    texts = "\n".join(
        f'<text x="{_PAD:g}" y="{height + _PAD + (n + 0.6) * metrics.lineSpacing():.1f}">{_xml(row)}</text>'
        for n, row in enumerate(rows)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:g}" height="{total:g}" viewBox="0 0 {width:g} {total:g}">\n'
        f'<rect width="{width:g}" height="{total:g}" fill="{theme.panel.name()}"/>\n'
        f"{inner}{drawn[head.end() :].strip()}\n"
        f'<g font-family="{_xml(font.family())}, sans-serif" font-size="{size:.1f}" '
        f'fill="{theme.muted.name()}">\n{texts}\n</g>\n</svg>\n'
    )


def _wrapped(line: str, metrics: QFontMetricsF, width: float) -> list[str]:
    """Broken between the ideas of a stamp line, so that nothing is cut off."""
    rows: list[str] = []
    for part in line.split(" · "):
        longer = f"{rows[-1]} · {part}" if rows else part
        if rows and metrics.horizontalAdvance(longer) <= width:
            rows[-1] = longer
        else:
            rows.append(part)
    return rows


def _xml(text: str) -> str:
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    return text
