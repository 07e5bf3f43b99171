"""Fixtures of the tests that go over SSH."""

from tests.support.keyrings import memory_keyring
from tests.support.odd_ssh import full_port, relay, start_odd
from tests.support.sshd import closed_port, password_user, server, ssh_dir, start_sshd

__all__ = [
    "closed_port",
    "full_port",
    "memory_keyring",
    "password_user",
    "relay",
    "server",
    "ssh_dir",
    "start_odd",
    "start_sshd",
]
