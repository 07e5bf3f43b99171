"""What a person is told to run on the device."""

from __future__ import annotations

import pytest

from arenascope.remote.prompts import HostKeyQuestion


@pytest.mark.parametrize(
    ("key_type", "file"),
    [
        ("ssh-ed25519", "ed25519"),
        ("ecdsa-sha2-nistp256", "ecdsa"),
        ("ssh-rsa", "rsa"),
        ("rsa-sha2-512", "rsa"),
        ("ssh-dss", "dsa"),
    ],
)
def test_the_command_names_the_file_of_the_key_that_was_shown(key_type: str, file: str) -> None:
    question = HostKeyQuestion("pi", 22, key_type, "SHA256:x")
    assert question.command == f"ssh-keygen -lf /etc/ssh/ssh_host_{file}_key.pub"


@pytest.mark.parametrize("key_type", ["", "ssh-new", "x; rm -rf ~", "ssh-../../x"])
def test_a_type_that_nobody_knows_is_never_part_of_the_command(key_type: str) -> None:
    command = HostKeyQuestion("pi", 22, key_type, "SHA256:x").command
    assert command == "cat /etc/ssh/ssh_host_*_key.pub | ssh-keygen -lf -"
