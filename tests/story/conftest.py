"""Fixtures of the stories that go over SSH."""

from tests.support.bare_board import bare, index
from tests.support.link_proxy import link_proxy
from tests.support.sshd import server, ssh_dir, start_sshd

__all__ = ["bare", "index", "link_proxy", "server", "ssh_dir", "start_sshd"]
