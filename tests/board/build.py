"""``python -m tests.board.build [KIND …]``: build what the boards lack, all kinds by default.

Needs root; takes some minutes, once. The parts are made side by side, the slowest first.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from . import cache, kernel, userland
from .recipe import KINDS, Kernel, Kind, Part, Userland
from .workshop import BoardBuildError, Workshop

_PROGRAMS = ("debootstrap", "unshare", "chroot", "mke2fs", "cpio", "dpkg-deb", "apt-get", "ssh-keygen")


def build(kinds: Iterable[Kind]) -> None:
    """Build the parts of these boards that are not there yet. BoardBuildError says what is in the way."""
    parts = _parts(kinds)
    if not _lacking(parts):
        return
    with cache.only_one_builder():
        lacking = _lacking(parts)
        if not lacking:
            return
        _check_this_computer(lacking)
        cache.prune({cache.folder_of(part) for part in _parts(KINDS.values())})
        # Two at a time: the long step of a userland keeps one processor busy.
        with ThreadPoolExecutor(2) as workers:
            made = [workers.submit(_make, part) for part in lacking]
        for one in made:
            one.result()


def lacking(kinds: Iterable[Kind]) -> list[str]:
    """Names of the parts of these boards that are not built."""
    return [part.name for part in _lacking(_parts(kinds))]


def _parts(kinds: Iterable[Kind]) -> list[Part]:
    every = [part for kind in kinds for part in (kind.userland, kind.kernel)]
    return sorted(dict.fromkeys(every), key=lambda part: isinstance(part, Kernel))


def _lacking(parts: list[Part]) -> list[Part]:
    return [part for part in parts if not cache.folder_of(part).is_dir()]


def _check_this_computer(parts: list[Part]) -> None:
    names = ", ".join(part.name for part in parts)
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    missing = [name for name in _PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        raise BoardBuildError(
            f"The emulated boards are not built ({names}), and {', '.join(missing)} is not here. On Debian, "
            "as root: make boards. Without them: make test BOARD=0."
        )
    if os.geteuid() != 0:
        raise BoardBuildError(
            f"The emulated boards are not built ({names}), and building them needs root (debootstrap, "
            "chroot). Once, as root, with the same XDG_CACHE_HOME or HOME: make boards. "
            "Without them: make test BOARD=0."
        )


def _make(part: Part) -> None:
    shop = Workshop(part.name, cache.FOLDER / f"{part.name}.log")
    with cache.half_made(part) as work:
        if isinstance(part, Userland):
            userland.build(part, work, shop)
        else:
            kernel.build(part, work, shop)
    shop.say("done")


def main(names: list[str]) -> int:
    try:
        build([KINDS[name] for name in names] if names else KINDS.values())
    except BoardBuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
