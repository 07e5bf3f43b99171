"""Whether the host that answers is the one that was meant."""

from __future__ import annotations

from pathlib import Path

from . import hostkeys
from . import ssh_faults as faults
from .prompts import HostKeyQuestion, Prompts
from .ssh_config import HostConfig


class Trust:
    """What is known of one host: the user's known_hosts, our own file, the system's.

    ``own`` is the file that gets a key which a person accepts; ``name`` the host's, for messages, and
    ``address`` what the user asked to connect to, which may lie behind this host.
    """

    def __init__(
        self, name: str, address: str, config: HostConfig, ssh_dir: Path, own: Path, prompts: Prompts
    ) -> None:
        self._name = name
        self._address = address
        self._config = config
        self._own = own
        self._prompts = prompts
        users = config.user_known_hosts
        if users is None:
            users = (ssh_dir / "known_hosts", ssh_dir / "known_hosts2")
        files = (*users, own, hostkeys.SYSTEM_KNOWN_HOSTS)
        self._keys = hostkeys.known_keys(config.known_hosts_name, files)

    @property
    def key_types(self) -> set[str]:
        """The types of the keys that are known."""
        return {key.key_type for key in self._keys if not key.revoked}

    def check(self, key_type: str, blob: bytes) -> None:
        """Return for a known key, and for an unknown one that a person accepts, which is then kept.

        HostKeyUnknown, HostKeyChanged; StoreError when an accepted key cannot be kept.
        """
        fingerprint = hostkeys.fingerprint(blob)
        shown = f"{key_type} {fingerprint}"
        verdict, line = hostkeys.judge(self._keys, blob)
        if verdict is hostkeys.Verdict.KNOWN:
            return
        if line is not None:
            where = f"{line.path}, line {line.line}"
            if verdict is hostkeys.Verdict.REVOKED:
                raise faults.revoked_key(self._name, shown, where)
            known = f"{line.key_type} {hostkeys.fingerprint(line.blob)}"
            remedy = f"ssh-keygen -R '{self._config.known_hosts_name}' -f '{line.path}'"
            raise faults.changed_key(self._name, shown, known, remedy, where)
        question = HostKeyQuestion(self._config.host, self._config.port, key_type, fingerprint)
        if not self._prompts.confirm_host_key(question):
            raise faults.unknown_key(self._name, shown, key_type, self._address)
        hostkeys.remember(self._own, self._config.known_hosts_name, key_type, blob)
