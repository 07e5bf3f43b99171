"""Fixtures of the tests that go over SSH."""

from tests.support.keyrings import memory_keyring
from tests.support.link_proxy import link_proxy
from tests.support.sshd import closed_port, server, ssh_dir, start_sshd

__all__ = ["closed_port", "link_proxy", "memory_keyring", "server", "ssh_dir", "start_sshd"]
