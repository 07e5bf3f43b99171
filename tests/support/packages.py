"""Small packages made for tests: wheels, Debian packages, and an archive of them on a loopback port."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import lzma
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from arenascope.remote.wheels import Wheel

#: Stands in for the runtime and for NumPy on a board: what a probe does with them, and nothing else.
RUNTIME = {
    "ai_edge_litert/__init__.py": '__version__ = "2.3.0"\n',
    "ai_edge_litert/interpreter.py": (
        "import numpy\n"
        "class OpResolverType: pass\n"
        "class Interpreter:\n"
        "    def __init__(self, model_content): self.numpy = numpy.__version__\n"
        "    def allocate_tensors(self): pass\n"
    ),
}
BROKEN_RUNTIME = {
    **RUNTIME,
    "ai_edge_litert/interpreter.py": "raise ImportError('version `GLIBC_2.99 not found')\n",
}
NUMPY = {"numpy/__init__.py": '__version__ = "2.4.6"\n', "numpy/tests/test_it.py": "", "numpy/core.pyi": ""}


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], machine: str, abi: str) -> Path:
    """A wheel with these files, as an index would have it."""
    stem = name.replace("-", "_")
    platform = f"manylinux_2_17_{machine}"
    info = f"{stem}-{version}.dist-info"
    path = folder / f"{stem}-{version}-{abi}-{abi}-{platform}.whl"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {abi}-{abi}-{platform}\n",
    }
    record = "".join(f"{one},{_record(text)},{len(text)}\n" for one, text in content.items())
    with zipfile.ZipFile(path, "w") as archive:
        for one, text in {**content, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(one, (1980, 1, 1, 0, 0, 0)), text)
    return path


def _record(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"sha256={digest}"


def locked(path: Path, machine: str, abi: str) -> Wheel:
    """What ``wheels.json`` would say of it."""
    name, version = path.name.split("-")[:2]
    data = path.read_bytes()
    platforms = (path.stem.split("-")[-1],)
    sha256 = hashlib.sha256(data).hexdigest()
    return Wheel(name.replace("_", "-"), version, machine, abi, platforms, path.name, sha256, len(data), 5000)


def deb(
    files: Mapping[str, bytes], links: Mapping[str, str] | None = None, form: str = "xz", odd: bool = False
) -> bytes:
    """A Debian package with these files below its root. ``odd``: with a part of odd length before them."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    data = {"xz": lzma.compress, "gz": gzip.compress, "zst": bytes, "tar": bytes}[form](unpacked.getvalue())
    parts = [("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd" if odd else b"even")]
    return ar([*parts, ("data.tar" if form == "tar" else f"data.tar.{form}", data)])


def ar(parts: list[tuple[str, bytes]]) -> bytes:
    made = b"!<arch>\n"
    for name, data in parts:
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data
        made += b"\n" * (len(data) % 2)
    return made


def listed(name: str, version: str, data: bytes, depends: str = "") -> str:
    """A package's paragraph in a list; its file is pool/NAME.deb."""
    return (
        f"Package: {name}\nVersion: {version}\nInstalled-Size: 20\nDepends: {depends}\n"
        f"Filename: pool/{name}.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    )


def release_text(suite: str) -> str:
    """What stands in for a signed release: tests that stand in for a board trust it by its words."""
    return f"-----BEGIN PGP SIGNED MESSAGE-----\n{suite}"


class Mirror:
    """A package archive on a loopback port, with one release whose lists are in ``packages``."""

    def __init__(self, root: Path, port: int, asked: list[str]) -> None:
        self.root = root
        self.uri = f"http://127.0.0.1:{port}/debian"
        self.asked = asked

    def put(self, path: str, data: bytes) -> None:
        target = self.root / "debian" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def release(self, suite: str, packages: str, form: str = "xz", by_hash: bool = False) -> dict[str, Any]:
        """Publish a list; what the board would answer about this release."""
        data = {"xz": lzma.compress, "gz": gzip.compress}[form](packages.encode())
        sha256 = hashlib.sha256(data).hexdigest()
        folder = "main/binary-armhf"
        name = f"by-hash/SHA256/{sha256}" if by_hash else f"Packages.{form}"
        self.put(f"dists/{suite}/{folder}/{name}", data)
        self.put(f"dists/{suite}/InRelease", release_text(suite).encode())
        return {"files": {f"{folder}/Packages.{form}": [sha256, len(data)]}, "fields": {"Suite": suite}}


@contextmanager
def mirror(root: Path) -> Iterator[Mirror]:
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            asked.append(self.path)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has seen enough goes; that is its right."""

    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, name="mirror")
    thread.start()
    try:
        yield Mirror(root, server.server_address[1], asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
