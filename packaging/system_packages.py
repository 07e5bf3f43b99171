"""Which system packages are missing on this computer, by asking the linker; installs them when run as root.

    python packaging/system_packages.py window [test] [board]

``window`` is what the window and the runtime need; ``test`` adds what the tests start, ``board`` what builds
and boots an emulated board. Only Linux asks for
anything: the wheels for macOS and Windows carry all they need. Anything missing is named, with the command
that installs it; the exit code is then 1, unless it could be installed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

#: Shared library → Debian package.
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")

#: Group → the programs that it starts → Debian package.
PROGRAMS = {
    "window": {},
    "test": {"sshd": "openssh-server", "ssh-keygen": "openssh-client"},
    "board": {
        "qemu-system-arm": "qemu-system-arm",
        "qemu-system-aarch64": "qemu-system-arm",
        "qemu-arm-static": "qemu-user-static",
        "debootstrap": "debootstrap",
        "mke2fs": "e2fsprogs",
        "cpio": "cpio",
        "ssh": "openssh-client",
    },
}


def binaries() -> list[Path]:
    """The binaries whose libraries must be there: Qt's modules, the platform plugin in use, the runtime."""
    found: list[Path] = []
    qt = _package_folder("PySide6")
    if qt:
        found += [qt / f"Qt{name}.abi3.so" for name in ("Core", "Gui", "Widgets", "Svg", "PrintSupport")]
        plugins = ["offscreen"]
        plugins += ["xcb"] if os.environ.get("DISPLAY") else []
        plugins += ["wayland"] if os.environ.get("WAYLAND_DISPLAY") else []
        found += [qt / f"Qt/plugins/platforms/libq{name}.so" for name in plugins]
    runtime = _package_folder("ai_edge_litert")
    if runtime:
        found += sorted(runtime.glob("*interpreter_wrapper*.so"))
    return [path for path in found if path.exists()]


def missing_libraries(paths: list[Path]) -> set[str]:
    """Names of shared libraries that the linker does not find for any of ``paths``."""
    missing: set[str] = set()
    for path in paths:
        listing = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout
        missing.update(re.findall(r"^\s*(\S+) => not found", listing, re.MULTILINE))
    return missing


def has_fonts() -> bool:
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(next(folder.rglob(pattern), None) for folder in folders for pattern in ("*.tt[fc]", "*.otf"))


def missing_programs(group: str) -> set[str]:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return {name for name in PROGRAMS[group] if shutil.which(name, path=path) is None}


def main(groups: list[str]) -> int:
    if not sys.platform.startswith("linux"):
        return 0
    if shutil.which("ldd") is None:
        print("ldd is not here, so Qt's libraries were not checked.", file=sys.stderr)
        return 0
    # Loading one library can bring the next missing one to light, so look again after installing.
    for last_try in (False, False, True):
        packages, unknown = _missing_packages(groups)
        if unknown:
            print(f"Missing libraries, of unknown packages: {', '.join(sorted(unknown))}", file=sys.stderr)
        if not packages:
            return 1 if unknown else 0
        if last_try or not _install(sorted(packages)):
            break
    command = f"apt-get update && apt-get install -y {' '.join(sorted(packages))}"
    print(f"Missing system packages: {', '.join(sorted(packages))}", file=sys.stderr)
    print(f"Install them as root:    {command}", file=sys.stderr)
    if "board" in groups and "test" in groups:
        print("Or leave out the tests on emulated boards: make test BOARD=0", file=sys.stderr)
    return 1


def _missing_packages(groups: list[str]) -> tuple[set[str], set[str]]:
    libraries = missing_libraries(binaries())
    packages = {LIBRARIES[name] for name in libraries if name in LIBRARIES}
    unknown = {name for name in libraries if name not in LIBRARIES}
    if not has_fonts():
        packages.add(FONT_PACKAGE)
    for group in groups:
        packages.update(PROGRAMS[group][name] for name in missing_programs(group))
    return packages, unknown


def _install(packages: list[str]) -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"Installing system packages: {' '.join(packages)} ...", flush=True)
    script = Path(__file__).with_name("apt-install.sh")
    return subprocess.run(["sh", str(script), *packages], check=False).returncode == 0


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
