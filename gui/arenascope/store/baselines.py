"""What was measured of boards once and is kept: baselines, and calibrations of delegates.

It can be measured anew, so a damaged or foreign file is no more than nothing kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from ..domain.baseline import Base, Baseline, Identity
from ..domain.board import AddressSpace
from ..domain.calibration import Calibration, Point
from ..domain.ranges import Range
from ..errors import FileError, StoreError
from .fields import LARGEST_ADDRESS, Fields, JsonObject, damaged, parse
from .files import read_bounded, write_atomic
from .folders import make_private

#: Its number goes up with what is measured, too: what another version measured is measured anew.
SCHEMA = "arenascope.baselines/1"
_LARGEST_FILE = 1024**2
#: The newest of each kind are kept.
MOST_BASELINES, MOST_CALIBRATIONS = 50, 200
_WHOLE_FACTS = ("bits", "page_size")


@dataclass(frozen=True, slots=True)
class CalibrationKey:
    """To what a calibration belongs: a model, a system, the threads, and which dimensions were varied."""

    model: str  #: SHA-256 of the file
    identity: Identity
    threads: int | None
    shapes: str  #: the input shapes without their batch


@dataclass(frozen=True)
class Kept:
    """Oldest first."""

    baselines: tuple[Baseline, ...] = ()
    calibrations: tuple[tuple[CalibrationKey, Calibration], ...] = ()

    def baseline(self, identity: Identity) -> Baseline | None:
        return next((b for b in self.baselines if b.identity == identity), None)

    def calibration(self, key: CalibrationKey) -> Calibration | None:
        return next((c for k, c in self.calibrations if k == key), None)

    def with_baseline(self, new: Baseline) -> Kept:
        others = tuple(b for b in self.baselines if b.identity != new.identity)
        return replace(self, baselines=(*others, new)[-MOST_BASELINES:])

    def with_calibration(self, key: CalibrationKey, new: Calibration) -> Kept:
        others = tuple(pair for pair in self.calibrations if pair[0] != key)
        return replace(self, calibrations=(*others, (key, new))[-MOST_CALIBRATIONS:])


def load(path: Path) -> Kept:
    """What is kept; nothing where there is no file, or one that cannot be used."""
    if not path.exists():
        return Kept()
    try:
        top = Fields(parse(read_bounded(path, _LARGEST_FILE)))
        if top.text("schema") != SCHEMA:
            return Kept()
        return Kept(
            tuple(_baseline(f) for f in top.children("baselines")),
            tuple(_calibration(f) for f in top.children("calibrations")),
        )
    except (FileError, StoreError):
        return Kept()


def save(kept: Kept, path: Path) -> None:
    """Whole or not at all. Raises FileError."""
    document: JsonObject = {
        "schema": SCHEMA,
        "baselines": [asdict(b) for b in kept.baselines],
        "calibrations": [asdict(key) | asdict(found) for key, found in kept.calibrations],
    }
    make_private(path.parent)
    write_atomic(path, (json.dumps(document, indent=1) + "\n").encode("ascii"))


def _baseline(f: Fields) -> Baseline:
    space = f.child("space")
    bounds = [
        space.maybe(space.whole, key, 0, LARGEST_ADDRESS)
        for key in ("ceiling", "largest_gap", "mapped", "data")
    ]
    return Baseline(
        _identity(f.child("identity")),
        _base(f.child("none")),
        _base(f.child("default")),
        f.flag("delegates"),
        AddressSpace(*bounds),
    )


def _base(f: Fields) -> Base:
    return Base(_range(f.child("rss")), f.whole("files"), _range(f.child("heap")))


def _range(f: Fields) -> Range:
    try:
        return Range(f.whole("low"), f.whole("likely"), f.whole("high"))
    except ValueError as error:
        raise damaged(f"{f.where} is not a range", str(error)) from error


def _identity(f: Fields) -> Identity:
    values = [
        f.maybe(f.whole, field.name) if field.name in _WHOLE_FACTS else f.maybe(f.text, field.name)
        for field in fields(Identity)
    ]
    return Identity(*values)  # type: ignore[arg-type]  # in the order of its fields


def _calibration(f: Fields) -> tuple[CalibrationKey, Calibration]:
    key = CalibrationKey(
        f.text("model"), _identity(f.child("identity")), f.maybe(f.index, "threads"), f.text("shapes")
    )
    return key, Calibration(_point(f.child("first")), _point(f.child("second")), f.text("source"))


def _point(f: Fields) -> Point:
    return Point(f.whole("interior"), f.whole("taken"))
