"""Builds a kernel part: Debian's kernel, unpacked here, and an initramfs of our own (its own, built in a
chroot under emulation, would take a quarter of an hour). Part of the images' hash.

    vmlinuz   as it is in the package
    initrd    busybox, a handful of modules, and a /init of ten lines
"""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path

from .debian import PrivateApt
from .recipe import Kernel
from .workshop import Workshop


def build(part: Kernel, work: Path, shop: Workshop) -> None:
    shop.say("packages")
    apt = PrivateApt(shop, part.debian, part.suite, work / "apt")
    tree = work / "tree"
    for package in apt.download(part.package, "busybox-static"):
        shop.run(["dpkg-deb", "-x", str(package), str(tree)])
    shop.say("initramfs")
    shutil.copy(next((tree / "boot").glob("vmlinuz-*")), work / "vmlinuz")
    (work / "initrd").write_bytes(_initramfs(part, tree, work / "initramfs"))
    for folder in ("apt", "tree", "initramfs"):
        shutil.rmtree(work / folder)


def _initramfs(part: Kernel, tree: Path, folder: Path) -> bytes:
    for name in ("bin", "proc", "sys", "dev", "modules", "mnt"):
        (folder / name).mkdir(parents=True)
    shutil.copy(tree / "bin/busybox", folder / "bin/busybox")
    available = {p.name.split(".ko")[0].replace("-", "_"): p for p in tree.glob("lib/modules/**/*.ko*")}
    loads = []
    for name in part.modules:
        if name in available:
            data = available[name].read_bytes()
            plain = lzma.decompress(data) if available[name].suffix == ".xz" else data
            (folder / "modules" / f"{name}.ko").write_bytes(plain)
            loads.append(f"insmod /modules/{name}.ko")
    script = "\n".join(
        ["#!/bin/busybox sh", "/bin/busybox --install -s /bin", "mount -t proc proc /proc",
         "mount -t sysfs sysfs /sys", "mount -t devtmpfs dev /dev", *loads,
         "n=0; while [ ! -b /dev/vda ] && [ $n -lt 200 ]; do n=$((n+1)); usleep 50000; done",
         "mount -t ext4 -o rw,noatime /dev/vda /mnt", "umount /proc /sys; mount --move /dev /mnt/dev",
         "exec switch_root /mnt /sbin/init", ""]
    )  # fmt: skip
    (folder / "init").write_text(script)
    (folder / "init").chmod(0o755)
    names = "\n".join(str(p.relative_to(folder)) for p in sorted(folder.rglob("*"))) + "\n"
    packed = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        input=names.encode(),
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return packed.stdout
