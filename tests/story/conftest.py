"""Fixtures of the stories that go over SSH."""

from tests.support.sshd import server, ssh_dir, start_sshd

__all__ = ["server", "ssh_dir", "start_sshd"]
