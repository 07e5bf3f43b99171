"""The private environment: what was brought to this device for the workers, and for nobody else.

    ${XDG_CACHE_HOME:-~/.cache}/arenascope/env/TAG/manifest.json   what it holds and where that came from
    ${XDG_CACHE_HOME:-~/.cache}/arenascope/env/TAG/site            on the workers' PYTHONPATH
    ${XDG_CACHE_HOME:-~/.cache}/arenascope/env/TAG/lib             on their LD_LIBRARY_PATH

TAG names the Python that it was made for, so that another one never loads it. It arrives as one archive
and appears under its name by a rename, complete or not at all (``unpacking.py``). No pip and no venv is
needed for it.
"""

from __future__ import annotations

import json
import os
import sys

from . import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_MANIFEST = 1024 * 1024


def tag() -> str:
    """'cpython-311-arm-linux-gnueabihf': which Python can load what lies in such a folder."""
    implementation = sys.implementation
    where = getattr(implementation, "_multiarch", None) or "%d" % sys.maxsize.bit_length()
    return "%s%s-%s" % (implementation.cache_tag, getattr(sys, "abiflags", ""), where)


def parent() -> str:
    return os.path.join(cache.root(), "env")


def folder() -> str:
    """Where the environment of this Python lies, whether or not it is there."""
    return os.path.join(parent(), tag())


def variables() -> dict[str, str]:
    """What a worker's environment gains: nothing where nothing was set up."""
    found = {}
    for name, part in (("PYTHONPATH", "site"), ("LD_LIBRARY_PATH", "lib")):
        path = os.path.join(folder(), part)
        if os.path.isdir(path):
            before = os.environ.get(name)
            found[name] = path + os.pathsep + before if before else path
    return found


def summary() -> dict[str, Any] | None:
    """{"packages": [[name, version]], "bytes"} as the manifest says; None where nothing was set up."""
    try:
        with open(os.path.join(folder(), "manifest.json"), "rb") as file:
            manifest = json.loads(file.read(_MAX_MANIFEST))
        packages = [[str(one["name"]), str(one["version"])] for one in manifest["packages"]]
        return {"packages": packages[:100], "bytes": int(manifest["bytes"])}
    except (OSError, ValueError, LookupError, TypeError):
        return None  # none, or one that cannot be read: a probe of the runtime says more


def free() -> int:
    """Bytes free where the cache lies, or will lie."""
    path = cache.root()
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize
