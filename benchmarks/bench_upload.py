"""Files and connections over a loopback sshd, each beside OpenSSH's own tools in the same run: a model of
100 MB against ``scp``, the same model again, and the way from nothing to the agent's greeting against
``ssh HOST python3 -c 1``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from figures import Figure, at_least, at_most, interleaved, report

from arenascope.remote.address import parse_address
from arenascope.remote.fetching import file_sha256
from arenascope.remote.link import AgentLink
from arenascope.remote.ssh import SshTransport
from arenascope.workflow.connect import connect
from arenascope.workflow.events import Connecting, UploadProgress
from arenascope.workflow.jobs import CancelToken
from arenascope.workflow.staging import stage_file
from tests.support.sshd import Sshd, introduce, make_key

MEGABYTES = 100
UPLOADS, CONNECTS = 5, 11
SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
)


def main() -> None:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ.update(HOME=str(home), ARENASCOPE_HOME=str(home / "arenascope"))
        os.environ.pop("SSH_AUTH_SOCK", None)
        ssh_dir = home / ".ssh"
        ssh_dir.mkdir(mode=0o700)
        make_key(ssh_dir / "id_ed25519")
        root = Path(tempfile.mkdtemp(prefix="arenascope-bench-"))
        stack.callback(shutil.rmtree, root)
        root.chmod(0o755)
        sftp = next((path for path in SFTP_SERVERS if Path(path).exists()), "internal-sftp")
        server = Sshd(root, options=(f"Subsystem sftp {sftp}",))
        stack.callback(server.stop)
        introduce(server, ssh_dir)
        options = ["-q", "-F", "none", "-i", str(ssh_dir / "id_ed25519")]
        options += ["-o", f"UserKnownHostsFile={ssh_dir / 'known_hosts'}"]
        report([*uploads(server, home, options), connects(server, options)])


def uploads(server: Sshd, home: Path, options: list[str]) -> list[Figure]:
    model = home / "model"
    model.write_bytes(os.urandom(MEGABYTES * 1_000_000))
    target = f"{server.user}@127.0.0.1"
    transport = SshTransport(parse_address(server.address))
    transport.connect()
    scp, ours = interleaved(
        UPLOADS,
        lambda: run(["scp", *options, "-P", str(server.port), str(model), f"{target}:{server.home}/scp"]),
        # scp logs in each time; so does this.
        lambda: put(server, model),
    )
    transport.close()
    note = f"{MEGABYTES / ours:.0f} MB/s, scp {MEGABYTES / scp:.0f} MB/s, each with its login"
    return [
        at_least(f"upload of {MEGABYTES} MB over loopback SSH, against scp", scp / ours, 0.9, " ×", note),
        again(server, model),
    ]


def again(server: Sshd, model: Path) -> Figure:
    """How much of a model is sent that the board has already."""
    sent: list[UploadProgress] = []

    def tell(event: Connecting | UploadProgress) -> None:
        if isinstance(event, UploadProgress):
            sent.append(event)

    sha256, size = file_sha256(model), model.stat().st_size
    with connect(server.address) as device:
        for _ in range(2):
            sent.clear()
            stage_file(device, model, sha256, size, model.name, tell, CancelToken())
    again = float(sum(event.done for event in sent))
    return at_most("bytes sent of a model that is there already", again, 0, " bytes")


def put(server: Sshd, model: Path) -> None:
    transport = SshTransport(parse_address(server.address))
    transport.put_file(model, str(server.home / "ours"))
    transport.close()


def connects(server: Sshd, options: list[str]) -> Figure:
    target = ["-p", str(server.port), f"{server.user}@127.0.0.1"]
    opened: list[tuple[AgentLink, SshTransport]] = []

    def greeted() -> None:
        transport = SshTransport(parse_address(server.address))
        link = AgentLink(transport)
        link.open()
        opened.append((link, transport))

    def bare() -> None:
        for link, transport in opened:  # leaving is not part of the figure, and no two are open at once
            link.close()
            transport.close()
        opened.clear()

    def ssh() -> None:
        run(["ssh", *options, *target, "python3", "-c", "1"])

    bare_ssh, _, ours = interleaved(CONNECTS, ssh, bare, greeted)
    bare()
    note = f"{ours * 1e3:.3g} ms, ssh {bare_ssh * 1e3:.3g} ms"
    return at_most(
        "connect to the agent's greeting, against ssh HOST python3 -c 1", ours / bare_ssh, 1.5, " ×", note
    )


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
