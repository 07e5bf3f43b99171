"""Fixtures of the tests that go over SSH."""

from tests.support.keyrings import memory_keyring
from tests.support.sshd import password_user, server, ssh_dir, start_sshd

__all__ = ["memory_keyring", "password_user", "server", "ssh_dir", "start_sshd"]
