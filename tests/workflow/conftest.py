"""Fixtures of the tests that go over SSH."""

from tests.support.bare_board import bare, index
from tests.support.keyrings import memory_keyring
from tests.support.link_proxy import link_proxy
from tests.support.sshd import closed_port, server, ssh_dir, start_sshd

__all__ = ["bare", "closed_port", "index", "link_proxy", "memory_keyring", "server", "ssh_dir", "start_sshd"]
