"""Build the images of an emulated board from Debian's packages. Needs root; takes minutes; done once.

    userland   debootstrap in two stages, the second one in a chroot under qemu-user
    kernel     Debian's package, unpacked here (its own initramfs would take a quarter of an hour)
    initramfs  busybox, a handful of modules, and a /init of ten lines
    disks      two, made by mke2fs from the tree: with a runtime, and bare (no NumPy, no runtime)

Everything is made in a folder that gets its final name at the end: a failed build leaves nothing.
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .recipe import DISK, MODULES, SUITE, USER, USERLAND, Architecture, cache_directory, recipe_hash

_BINFMT = Path("/proc/sys/fs/binfmt_misc")


class BoardBuildError(RuntimeError):
    """The image cannot be built here; the message says what failed and what to do."""


def images(architecture: Architecture) -> Path:
    """The folder with kernel, initrd, disks and keys; built if it is not there yet."""
    folder = cache_directory() / f"{architecture.name}-{recipe_hash(architecture)}"
    if folder.is_dir():
        return folder
    if os.geteuid() != 0:
        raise BoardBuildError(f"Building the {architecture.name} board needs root (debootstrap, chroot).")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _build(architecture, work)
        shutil.rmtree(work / "root")
        work.chmod(0o755)
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return folder


def _build(architecture: Architecture, work: Path) -> None:
    root = work / "root"
    apt = _PrivateApt(architecture, work / "apt")
    _say(f"userland for {architecture.debian}")
    _userland(architecture, root, apt.mirror())
    _say("kernel and initramfs")
    packages = apt.download(architecture.kernel, "busybox-static")
    _kernel(packages, work)
    _say("services and keys")
    _services(root, work)
    _say("disk without a runtime, then with one")
    bare = work / "bare"
    _run(["cp", "-a", str(root), str(bare)])  # device nodes and all
    _run(["chroot", str(bare), "dpkg", "--purge", "python3-numpy"])
    _disk(bare, work / "bare.img")
    shutil.rmtree(bare)
    _runtime(architecture, root, work)
    _disk(root, work / "runtime.img")
    shutil.rmtree(work / "apt")


class _PrivateApt:
    """apt for a foreign architecture, with this computer's own sources and trust, beside its state."""

    def __init__(self, architecture: Architecture, folder: Path) -> None:
        for sub in ("lists/partial", "cache/archives/partial"):
            (folder / sub).mkdir(parents=True)
        (folder / "status").touch()
        self._folder = folder
        self._options = [
            "-o", f"APT::Architecture={architecture.debian}",
            "-o", f"APT::Architectures={architecture.debian}",
            "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::State::status={folder}/status",
            "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root",
        ]  # fmt: skip
        # A mirror in the middle of its own update makes apt fail now and then: try again, then go on.
        for attempt in range(4):
            if subprocess.run(["apt-get", *self._options, "-q", "update"], stdout=sys.stderr).returncode == 0:
                break
            time.sleep(5 * (attempt + 1))

    def mirror(self) -> str:
        """The address that this computer takes the suite's packages from."""
        targets = _output(
            ["apt-get", *self._options, "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
             "Created-By: Packages"]
        )  # fmt: skip
        for line in targets.splitlines():
            address, release, component = line.split()
            if release == SUITE and component == "main":
                return address
        raise BoardBuildError(f"apt on this computer has no source for Debian {SUITE} main.")

    def download(self, *names: str) -> list[Path]:
        """The packages and, for a package that only points to another, that other one."""
        wanted = []
        for name in names:
            depends = _output(
                ["apt-cache", *self._options, "depends", "--no-recommends", "--no-suggests", name]
            )
            real = [line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line]
            wanted.append(real[0] if real else name)
        target = self._folder / "packages"
        target.mkdir()
        _run(["apt-get", *self._options, "-q", "download", *wanted], cwd=target)
        return sorted(target.glob("*.deb"))


def _userland(architecture: Architecture, root: Path, mirror: str) -> None:
    include = ",".join(USERLAND)
    first = ["debootstrap", f"--arch={architecture.debian}", "--variant=minbase", "--foreign",
             f"--include={include}", SUITE, str(root), mirror]  # fmt: skip
    for attempt in range(3):
        if subprocess.run(first, stdout=sys.stderr).returncode == 0:
            break
        shutil.rmtree(root, ignore_errors=True)
        time.sleep(10 * (attempt + 1))
    else:
        raise BoardBuildError("debootstrap failed three times; its last lines are above.")
    _register(architecture.qemu_user)
    _run(["chroot", str(root), "/debootstrap/debootstrap", "--second-stage"])
    for mounted in ("proc", "sys"):
        if os.path.ismount(root / mounted):
            _run(["umount", str(root / mounted)])
    shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)


def _register(name: str) -> None:
    """Let the kernel run foreign programs. Flag F keeps the interpreter open across the chroot."""
    if not (_BINFMT / "register").exists():
        _run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)])
    if (_BINFMT / name).exists():
        return
    for folder in ("/usr/lib/binfmt.d", "/usr/share/qemu/binfmt.d"):
        line = Path(folder) / f"{name}.conf"
        if line.exists():
            (_BINFMT / "register").write_bytes(line.read_bytes().strip())
            return
    raise BoardBuildError(f"qemu-user-static brought no binfmt line for {name}.")


def _services(root: Path, work: Path) -> None:
    (root / "etc/hostname").write_text("emulated-board\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost emulated-board\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults,noatime 0 1\n")
    network = root / "etc/systemd/network/10-lan.network"
    network.write_text("[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n")
    (root / "etc/ssh/sshd_config.d/board.conf").write_text(
        "UseDNS no\nPermitRootLogin prohibit-password\nPasswordAuthentication yes\n"
    )
    _run(["chroot", str(root), "useradd", "-m", "-s", "/bin/bash", USER])
    _run(["chroot", str(root), "chpasswd"], text=f"{USER}:{USER}\n")
    _run(["chroot", str(root), "ssh-keygen", "-A"])
    _run(["chroot", str(root), "systemctl", "enable", "systemd-networkd", "ssh"])
    _run(["chroot", str(root), "systemctl", "mask", "apt-daily.timer", "apt-daily-upgrade.timer",
          "systemd-networkd-wait-online.service", "dpkg-db-backup.timer", "e2scrub_all.timer",
          "fstrim.timer"])  # fmt: skip
    _run(
        [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "emulated-board",
            "-f",
            str(work / "id_ed25519"),
        ]
    )
    public = (work / "id_ed25519.pub").read_text()
    for home, owner in (("root", "root"), (f"home/{USER}", USER)):
        folder = root / home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "authorized_keys").write_text(public)
        _run(["chroot", str(root), "chown", "-R", f"{owner}:{owner}", f"/{home}/.ssh"])
    shutil.copy(root / "etc/ssh/ssh_host_ed25519_key.pub", work / "host_key.pub")


def _kernel(packages: list[Path], work: Path) -> None:
    tree = work / "kernel"
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(tree)])
    kernel = next((tree / "boot").glob("vmlinuz-*"))
    shutil.copy(kernel, work / "vmlinuz")
    initramfs = work / "initramfs"
    for folder in ("bin", "proc", "sys", "dev", "modules", "mnt"):
        (initramfs / folder).mkdir(parents=True)
    shutil.copy(tree / "bin/busybox", initramfs / "bin/busybox")
    available = {p.name.split(".ko")[0].replace("-", "_"): p for p in tree.glob("lib/modules/**/*.ko*")}
    loads = []
    for name in MODULES:
        if name in available:
            data = available[name].read_bytes()
            (initramfs / "modules" / f"{name}.ko").write_bytes(
                lzma.decompress(data) if available[name].suffix == ".xz" else data
            )
            loads.append(f"insmod /modules/{name}.ko")
    script = "\n".join(
        ["#!/bin/busybox sh", "/bin/busybox --install -s /bin", "mount -t proc proc /proc",
         "mount -t sysfs sysfs /sys", "mount -t devtmpfs dev /dev", *loads,
         "n=0; while [ ! -b /dev/vda ] && [ $n -lt 200 ]; do n=$((n+1)); usleep 50000; done",
         "mount -t ext4 -o rw /dev/vda /mnt", "umount /proc /sys; mount --move /dev /mnt/dev",
         "exec switch_root /mnt /sbin/init", ""]
    )  # fmt: skip
    (initramfs / "init").write_text(script)
    (initramfs / "init").chmod(0o755)
    names = "\n".join(str(p.relative_to(initramfs)) for p in sorted(initramfs.rglob("*"))) + "\n"
    packed = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        input=names.encode(),
        cwd=initramfs,
        capture_output=True,
        check=True,
    )
    (work / "initrd").write_bytes(packed.stdout)
    shutil.rmtree(initramfs)
    shutil.rmtree(tree)


def _runtime(architecture: Architecture, root: Path, work: Path) -> None:
    wheels = work / "wheels"
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "--no-deps",
               "--python-version", "311", "--implementation", "cp", "--abi", "cp311", "--abi", "none",
               "--abi", "abi3",
               "--platform", architecture.wheel_platform, "--platform", "any", "-d", str(wheels)]  # fmt: skip
    _run([*command, architecture.runtime])
    target = root / "usr/local/lib/python3.11/dist-packages"
    target.mkdir(parents=True, exist_ok=True)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    shutil.rmtree(wheels)


def _disk(root: Path, image: Path) -> None:
    _run(["mke2fs", "-q", "-t", "ext4", "-F", "-d", str(root), str(image), DISK])


def _run(command: list[str], *, cwd: Path | None = None, text: str | None = None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=sys.stderr, input=text, text=True, check=False
    )
    if done.returncode != 0:
        raise BoardBuildError(
            f"{command[0]} {command[1] if len(command) > 1 else ''} ended with {done.returncode}"
        )


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _say(text: str) -> None:
    sys.stderr.write(f"board: {text}\n")
    sys.stderr.flush()


@contextmanager
def only_one_builder() -> Iterator[None]:
    """Test workers build one after another, not all at once."""
    import fcntl

    folder = cache_directory()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
