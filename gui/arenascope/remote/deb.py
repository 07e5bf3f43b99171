"""What is inside a Debian package, without dpkg: an ar archive around two tar archives."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from collections.abc import Iterator

from ..errors import SetupError

_MAGIC = b"!<arch>\n"
_HEADER = 60
#: More than all of NumPy unpacked; what is above it is no package that is wanted here.
MAX_UNPACKED = 256 * 1024 * 1024

#: Where Debian's Python packages lie.
_PYTHON = "usr/lib/python3/dist-packages/"
_LIBRARY = re.compile(r"lib[^/]*\.so(\.[0-9][^/]*)?")
_SONAME = re.compile(r"\.so\.\d+$")


def python_files(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """(path below the folder of Python's packages, content) of each of its files. SetupError."""
    with _contents(data, name) as archive:
        for member in archive:
            path = posixpath.normpath(member.name)
            if member.isreg() and path.startswith(_PYTHON):
                yield path.removeprefix(_PYTHON), _read(archive, member, name)


def libraries(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """(name by which it is loaded, content) of each shared library: that of the link to it, as
    'libblas.so.3'. SetupError."""
    with _contents(data, name) as archive:
        members = [m for m in archive.getmembers() if _LIBRARY.fullmatch(posixpath.basename(m.name))]
        links: dict[str, set[str]] = {}
        for member in members:
            if member.issym():
                pointed = links.setdefault(posixpath.basename(member.linkname), set())
                pointed.add(posixpath.basename(member.name))
        for member in members:
            if not member.isreg():
                continue
            own = posixpath.basename(member.name)
            for loaded in sorted(one for one in links.get(own, ()) if _SONAME.search(one)) or [own]:
                yield loaded, _read(archive, member, name)


def _contents(data: bytes, name: str) -> tarfile.TarFile:
    """The archive with the package's files."""
    for member, content in _ar(data, name):
        if not member.startswith("data.tar"):
            continue
        if member.endswith(".zst"):
            content = _unpacked_zstd(content, name)
        try:
            return tarfile.open(fileobj=io.BytesIO(content), mode="r:*")  # the caller closes
        except (tarfile.TarError, EOFError, OSError) as error:
            raise _damaged(name, str(error)) from error
    raise _damaged(name, "it has no data.tar")


def _ar(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    if not data.startswith(_MAGIC):
        raise _damaged(name, "it is no ar archive")
    position = len(_MAGIC)
    while position + _HEADER <= len(data):
        header = data[position : position + _HEADER]
        size = header[48:58].strip()
        if header[58:60] != b"`\n" or not size.isdigit():
            raise _damaged(name, "its ar archive is broken")
        start = position + _HEADER
        end = start + int(size)
        if end > len(data):
            raise _damaged(name, "it is cut short")
        yield header[:16].decode("ascii", "replace").strip().rstrip("/"), data[start:end]
        position = end + (end & 1)


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> bytes:
    if member.size > MAX_UNPACKED:
        raise _damaged(name, f"{member.name} has {member.size} bytes")
    file = archive.extractfile(member)
    assert file is not None
    try:
        return file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _damaged(name, str(error)) from error


def _unpacked_zstd(content: bytes, name: str) -> bytes:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
    except ImportError:
        raise SetupError(
            f"The package {name} is packed with zstd, which Python reads from 3.14 on.",
            hint="Run ArenaScope with Python 3.14, or install NumPy on the board: "
            "sudo apt install python3-numpy",
        ) from None
    unpacked: bytes = zstd.decompress(content)
    return unpacked


def _damaged(name: str, why: str) -> SetupError:
    return SetupError(f"The package {name} cannot be unpacked: {why}.", hint="Try again.")
