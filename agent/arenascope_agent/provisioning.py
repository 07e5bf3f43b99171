"""What a client may ask for to set this device up. Each is work for a fork, checked here before."""

from __future__ import annotations

import os

from . import cache, params, protocol
from .aside import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: More than any closure of dependencies, or any release's list of files, that is asked for.
_MAX_TEXTS = 2000
_MAX_RELEASE = protocol.MAX_REQUEST * 3 // 4


def _install(given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    sha256 = params.sha256(given)
    archive = os.path.join(cache.root(), "models", sha256)
    size = params.integer(given, "bytes", 0, 2**40)

    def work() -> dict[str, Any]:
        from . import unpacking

        try:
            found = cache.sha256_of(archive)
        except FileNotFoundError:
            raise Failure(
                protocol.NOT_FOUND, "The archive is not on this device.", "Send it first."
            ) from None
        if found != sha256:
            raise Failure(protocol.HASH_MISMATCH, "The archive on this device is damaged.", "Send it again.")
        return unpacking.install(archive, size)

    return work


def _remove(_given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    def work() -> dict[str, Any]:
        from . import unpacking

        return unpacking.remove()

    return work


def _sources(_given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    def work() -> dict[str, Any]:
        from . import apt

        return apt.sources()

    return work


def _installed(given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    names = params.texts(given, "names", _MAX_TEXTS, 200)

    def work() -> dict[str, Any]:
        from . import apt

        return apt.installed(names)

    return work


def _verify(given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    release = params.text(given, "release", _MAX_RELEASE)
    signed_by = params.texts(given, "signed_by", 20, 200_000)
    wanted = params.texts(given, "wanted", _MAX_TEXTS, 400)

    def work() -> dict[str, Any]:
        from . import apt

        return apt.verify(release, signed_by, wanted)

    return work


#: Method → the check of its parameters, which returns the work.
METHODS: dict[str, Callable[[dict[str, Any]], Callable[[], dict[str, Any]]]] = {
    "environment_install": _install,
    "environment_remove": _remove,
    "apt_sources": _sources,
    "apt_installed": _installed,
    "apt_verify": _verify,
}
#: Those that may not be done under a task that runs.
ALONE = frozenset(["environment_install", "environment_remove"])
