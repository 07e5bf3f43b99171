"""Packages of a foreign architecture, and leave to run its programs here. Part of the images' hash."""

from __future__ import annotations

import os
from pathlib import Path

from .workshop import BoardBuildError, Workshop

_BINFMT = Path("/proc/sys/fs/binfmt_misc")


_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class PrivateApt:
    """apt for a foreign architecture, beside this computer's own state: the main part of one suite, from
    the mirror that this computer uses. ``mirror`` is its address."""

    def __init__(self, shop: Workshop, architecture: str, suite: str, folder: Path) -> None:
        for sub in ("lists/partial", "cache/archives/partial"):
            (folder / sub).mkdir(parents=True)
        (folder / "status").touch()
        self._shop = shop
        self._folder = folder
        self.mirror = self._find_mirror(suite)
        signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
        (folder / "sources.list").write_text(f"deb {signed}{self.mirror} {suite} main\n")
        self._options = [
            "-o", f"APT::Architecture={architecture}", "-o", f"APT::Architectures={architecture}",
            "-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
            "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::State::status={folder}/status",
            "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root",
        ]  # fmt: skip
        shop.run(["apt-get", *self._options, "-q", "update"], attempts=4)

    def _find_mirror(self, suite: str) -> str:
        """Of this suite, else of any other of Debian's: a mirror has them all."""
        targets = self._shop.output(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
             "Created-By: Packages"]
        )  # fmt: skip
        found = [line.split() for line in targets.splitlines()]
        for address, release, component in found:
            if release == suite and component == "main":
                return address
        for address, _, component in found:
            if component == "main" and address.rstrip("/").endswith("/debian"):
                return address
        raise BoardBuildError(
            f"apt on this computer has no source for Debian {suite} main, of which the boards are made. "
            "Add one to /etc/apt/sources.list."
        )

    def download(self, *names: str) -> list[Path]:
        """The packages and, for one that only points to the present kernel, that kernel's."""
        wanted = []
        for name in names:
            depends = self._shop.output(
                ["apt-cache", *self._options, "depends", "--no-recommends", "--no-suggests", name]
            )
            real = [line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line]
            wanted.append(real[0] if real else name)
        target = self._folder / "packages"
        target.mkdir()
        self._shop.run(["apt-get", *self._options, "-q", "download", *wanted], cwd=target, attempts=3)
        return sorted(target.glob("*.deb"))


def let_run(shop: Workshop, name: str) -> None:
    """Let the kernel run foreign programs. Flag F keeps the interpreter open across a chroot."""
    if not (_BINFMT / "register").exists():
        shop.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)])
    if (_BINFMT / name).exists():
        return
    for folder in ("/usr/lib/binfmt.d", "/usr/share/qemu/binfmt.d"):
        line = Path(folder) / f"{name}.conf"
        if line.exists():
            descriptor = os.open(_BINFMT / "register", os.O_WRONLY)
            try:
                os.write(descriptor, line.read_bytes().strip())
            finally:
                os.close(descriptor)
            return
    raise BoardBuildError(f"qemu-user-static brought no binfmt line for {name}: install it again.")
