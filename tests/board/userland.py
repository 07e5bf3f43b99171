"""Builds a userland part: the two disks of a board, and the keys to it. Part of the images' hash.

    runtime.img   Debian with Python, sshd and NumPy, and the wheels where pip as root would put them
    bare.img      the same without NumPy, what NumPy pulled in, and the wheels
    id_ed25519    opens both accounts, root and the ordinary user
    host_key.pub  the key that the board's sshd shows

debootstrap in two stages, the second in a chroot under qemu-user; the disks by mke2fs from the tree.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

from .debian import PrivateApt, let_run
from .recipe import Userland
from .workshop import Workshop

#: Nobody reads them there, and they are a fifth of the disk.
_NOT_UNPACKED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def build(part: Userland, work: Path, shop: Workshop) -> None:
    root = work / "root"
    _debian(part, root, work, shop)
    shop.say("services and keys")
    _services(part, root, work, shop)
    shop.say("disk with a runtime")
    packages = _wheels(part, root, work, shop)
    _disk(part, root, work / "runtime.img", shop)
    shop.say("disk without")
    shutil.rmtree(packages)
    packages.mkdir()
    shop.run(["chroot", str(root), "dpkg", "--purge", *part.numpy])
    _disk(part, root, work / "bare.img", shop)
    for folder in ("apt", "root"):
        shutil.rmtree(work / folder)


def _debian(part: Userland, root: Path, work: Path, shop: Workshop) -> None:
    shop.say("packages")
    mirror = PrivateApt(shop, part.debian, part.suite, work / "apt").mirror
    first = ["debootstrap", f"--arch={part.debian}", "--variant=minbase", "--foreign",
             f"--include={','.join(part.packages)}", part.suite, str(root), mirror]  # fmt: skip
    shop.run(first, attempts=3)
    settings = root / "etc/dpkg/dpkg.cfg.d"
    settings.mkdir(parents=True, exist_ok=True)
    # A build that is cut off is thrown away, so nothing has to reach the disk in order.
    (settings / "build").write_text("force-unsafe-io\n")
    (settings / "small").write_text("".join(f"path-exclude={pattern}\n" for pattern in _NOT_UNPACKED))
    shop.say("set-up under emulation, the long part")
    let_run(shop, part.qemu_user)
    # In a mount namespace of its own: what it mounts ends with it, whatever happens.
    shop.run(["unshare", "--mount", "chroot", str(root), "/debootstrap/debootstrap", "--second-stage"])
    (settings / "build").unlink()
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder / "partial").mkdir(parents=True)


def _services(part: Userland, root: Path, work: Path, shop: Workshop) -> None:
    (root / "etc/hostname").write_text("emulated-board\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost emulated-board\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults,noatime 0 0\n")
    network = root / "etc/systemd/network/10-lan.network"
    network.write_text("[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n")
    (root / "etc/ssh/sshd_config.d/board.conf").write_text(
        "UseDNS no\nPermitRootLogin prohibit-password\nPasswordAuthentication yes\n"
    )

    def inside(*command: str, text: str | None = None) -> None:
        shop.run(["chroot", str(root), *command], text=text)

    inside("useradd", "-m", "-s", "/bin/bash", part.user)
    inside("chpasswd", text=f"{part.user}:{part.user}\n")
    inside("ssh-keygen", "-A")
    inside("systemctl", "enable", "systemd-networkd", "ssh")
    inside("systemctl", "mask", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
           "systemd-networkd-wait-online.service", "e2scrub_all.timer", "e2scrub_reap.service",
           "fstrim.timer", "systemd-tmpfiles-clean.timer")  # fmt: skip
    key = work / "id_ed25519"
    shop.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "emulated-board", "-f", str(key)])
    for home, owner in (("root", "root"), (f"home/{part.user}", part.user)):
        folder = root / home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
        inside("chown", "-R", f"{owner}:{owner}", f"/{home}/.ssh")
    shutil.copy(root / "etc/ssh/ssh_host_ed25519_key.pub", work / "host_key.pub")


def _wheels(part: Userland, root: Path, work: Path, shop: Workshop) -> Path:
    """Unpack the wheels into dist-packages and compile them, as pip would. Returns that folder."""
    wheels = work / "wheels"
    tag = f"cp{part.python.replace('.', '')}"
    platforms = [word for name in (*part.wheel_platforms, "any") for word in ("--platform", name)]
    shop.run(
        [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", "--python-version", part.python, "--implementation", "cp",
         "--abi", tag, "--abi", "abi3", "--abi", "none", *platforms, "-d", str(wheels), *part.wheels],
        attempts=3,
    )  # fmt: skip
    inside = f"usr/local/lib/python{part.python}/dist-packages"
    target = root / inside
    target.mkdir(parents=True, exist_ok=True)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    shutil.rmtree(wheels)
    shop.run(["chroot", str(root), "python3", "-m", "compileall", "-q", f"/{inside}"])
    return target


def _disk(part: Userland, root: Path, image: Path, shop: Workshop) -> None:
    """A sparse file: what the tree does not fill is a hole."""
    shop.run(["mke2fs", "-q", "-t", "ext4", "-F", "-d", str(root), str(image), part.disk])
