"""The archive once more with its modules compiled, by the Python that will run it.

Compiling is more than half of an agent's start and leaves a megabyte behind in the server. The result lies
beside the archive as ``ARCHIVE'S HASH.PYTHON'S VERSION.OWN HASH.pyz``: whoever starts it knows what it was
made from and for, and verifies that it is whole. It is made once, where there is none.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    import zipimport

_HEX = frozenset("0123456789abcdef")


def source_hash(path: str) -> str:
    """The hash of the archive that a compiled one was made from; "" for a name of any other form."""
    first, _, rest = os.path.basename(path).partition(".")
    compiled = rest.endswith(".pyz") and len(first) == 64 and _HEX.issuperset(first)
    return first if compiled else ""


def write(archive: str, version: str) -> str:
    """Make it, and return its path. OSError, and what Python raises where it cannot be made."""
    import hashlib
    import io
    import zipfile
    from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]

    name, suffix = os.path.splitext(os.path.basename(archive))
    if suffix != ".pyz" or len(name) != 64 or not _HEX.issuperset(name):
        raise ValueError("%s is not named by its hash" % archive)
    if not version.replace(".", "").replace("+", "").isalnum():
        raise ValueError("%s is no version of Python" % version)
    importer = _importer(archive)
    data = io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as target:
        for member in source.namelist():
            code = _code(importer, member[: -len(".py")].replace("/", os.sep))
            # Never compared with a source: there is none, and the whole file is verified.
            entry = zipfile.ZipInfo(member + "c")
            target.writestr(entry, bytes(_code_to_hash_pyc(code, bytes(8), False)))
    content = data.getvalue()
    own = hashlib.sha256(content).hexdigest()
    path = os.path.join(os.path.dirname(archive), "%s.%s.%s.pyz" % (name, version, own))
    part = "%s.%d.part" % (path, os.getpid())
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        os.rename(part, path)
    except BaseException:
        os.unlink(part)
        raise
    return path


def _importer(archive: str) -> zipimport.zipimporter:
    import zipimport

    return zipimport.zipimporter(archive)


def _code(importer: zipimport.zipimporter, module: str) -> types.CodeType:
    """Of a package, the importer knows only the name of its folder."""
    folder, _, last = module.rpartition(os.sep)
    return importer.get_code(folder if last == "__init__" else module)
