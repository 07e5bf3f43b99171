"""Writes resources/wheels.json: the wheels that a board may get, each with the SHA-256 of its content.

    .venv/bin/python packaging/lock_wheels.py [FOLDER]

Downloads every wheel that ``domain/provision.py`` can choose with this computer's pip (into FOLDER, so that
a second time is quick) and looks inside. What is written is what boards will be given: read the diff.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from arenascope.domain.provision import TABLE, Pin, numpy_wheel
from arenascope.remote.provision import wheel_size

TARGET = Path(__file__).resolve().parents[1] / "resources" / "wheels.json"
GLIBCS = ("2_34", "2_28", "2_27", "2_17")


def wanted() -> list[tuple[str, str, Pin]]:
    """(machine, ABI, release) of everything that can be chosen."""
    found = set()
    for machine, rows in TABLE.items():
        for row in rows:
            for minor in range(row.first, row.last + 1):
                abi = f"cp3{minor}"
                found.add((machine, abi, row.runtime))
                numpy = numpy_wheel(machine, abi, row)
                if numpy is not None:
                    found.add((machine, abi, numpy))
    return sorted(found, key=lambda one: (one[0], int(one[1][3:]), one[2].name, one[2].version))


def main(folder: Path) -> int:
    rows = []
    for machine, abi, pin in wanted():
        path = download(machine, abi, pin, folder / f"{machine}-{abi}-{pin.name}-{pin.version}")
        data = path.read_bytes()
        rows.append(
            {
                "name": pin.name, "version": pin.version, "machine": machine, "abi": abi,
                "platforms": path.name.removesuffix(".whl").split("-")[-1].split("."), "file": path.name,
                "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "unpacked": wheel_size(path),
            }
        )  # fmt: skip
        print(path.name, len(data), flush=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    TARGET.write_text(f'{{"schema": "arenascope.wheels/1", "wheels": [\n{lines}\n]}}\n', encoding="utf-8")
    return 0


def download(machine: str, abi: str, pin: Pin, folder: Path) -> Path:
    if not folder.exists():
        platforms = [f"manylinux_{glibc}_{machine}" for glibc in GLIBCS] + [f"manylinux2014_{machine}"]
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            subprocess.run(
                [
                    sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
                    "--implementation", "cp", "--python-version", abi[2:], "--abi", abi, "-d", part,
                    *(word for platform in platforms for word in ("--platform", platform)),
                    f"{pin.name}=={pin.version}",
                ],
                check=True,
            )  # fmt: skip
            Path(part).rename(folder)
            Path(part).mkdir()
    (path,) = folder.iterdir()
    return path


if __name__ == "__main__":
    if len(sys.argv) > 1:
        place = Path(sys.argv[1])
        place.mkdir(parents=True, exist_ok=True)
        sys.exit(main(place))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(Path(made)))
