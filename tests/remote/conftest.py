"""Fixtures of the tests that go over SSH."""

from tests.support.sshd import password_user, server, ssh_dir, start_sshd

__all__ = ["password_user", "server", "ssh_dir", "start_sshd"]
