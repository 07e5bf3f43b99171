"""What is taken from ~/.ssh/config."""

from __future__ import annotations

from pathlib import Path

import pytest

from arenascope.errors import LinkError
from arenascope.remote.address import parse_address
from arenascope.remote.ssh_config import HostConfig, host_config, local_user


@pytest.fixture
def ssh(private_home: Path) -> Path:
    folder = private_home / ".ssh"
    folder.mkdir()
    return folder


def _read(ssh: Path, text: str, target: str) -> HostConfig:
    (ssh / "config").write_text(text)
    return host_config(parse_address(target), ssh)


def test_without_a_file_the_defaults_hold(ssh: Path) -> None:
    config = host_config(parse_address("board"), ssh)
    assert (config.host, config.user, config.port) == ("board", local_user(), 22)
    assert config.identity_files == () and not config.identities_only and config.jumps == ()
    assert config.user_known_hosts is None


def test_an_alias(ssh: Path) -> None:
    text = """
        Host lab
            HostName 10.0.0.7
            User pi
            Port=2222
            IdentityFile ~/.ssh/lab_key
            IdentityFile "/keys/two words"
            IdentitiesOnly yes
            UserKnownHostsFile ~/.ssh/known_lab /dev/null
            HostKeyAlias lab-key
    """
    config = _read(ssh, text, "lab")
    assert (config.alias, config.host, config.user, config.port) == ("lab", "10.0.0.7", "pi", 2222)
    assert config.identity_files == (ssh / "lab_key", Path("/keys/two words"))
    assert config.identities_only
    assert config.user_known_hosts == (ssh / "known_lab", Path("/dev/null"))
    assert config.known_hosts_name == "lab-key"


def test_what_was_typed_wins(ssh: Path) -> None:
    config = _read(ssh, "Host lab\n User pi\n Port 2222\n", "root@lab:22")
    assert (config.user, config.port) == ("root", 22)


def test_the_first_value_wins_and_identities_add_up(ssh: Path) -> None:
    text = (
        "Host l*\n User one\n IdentityFile /a\nHost lab\n User two\n IdentityFile /b\nHost *\n User three\n"
    )
    config = _read(ssh, text, "lab")
    assert config.user == "one"
    assert config.identity_files == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(
    ("patterns", "matches"),
    [
        ("lab", True),
        ("LAB", True),
        ("other lab", True),
        ("l?b", True),
        ("lab2", False),
        ("* !lab", False),
        ("!lab", False),
        ("l[a]b", False),
        ('"lab"', True),
    ],
)
def test_patterns(ssh: Path, patterns: str, matches: bool) -> None:
    config = _read(ssh, f"Host {patterns}\n Port 99\n", "lab")
    assert (config.port == 99) is matches


@pytest.mark.parametrize(
    ("criteria", "matches"),
    [
        ("all", True),
        ("host 10.*", True),
        ("originalhost lab,other", True),
        ("originalhost other", False),
        ("user pi", True),
        ("user pi originalhost other", False),
        (f"localuser {local_user()}", True),
        ("exec true", False),
        ("canonical", False),
        ("host", False),
    ],
)
def test_match_runs_nothing(ssh: Path, criteria: str, matches: bool) -> None:
    text = f"Host lab\n HostName 10.0.0.7\n User pi\nMatch {criteria}\n Port 99\n"
    assert (_read(ssh, text, "lab").port == 99) is matches


def test_included_files_belong_to_their_block(ssh: Path) -> None:
    (ssh / "more").mkdir()
    (ssh / "more" / "a.conf").write_text("Host lab\n Port 99\nHost other\n User no\n")
    assert _read(ssh, "Include more/*.conf\nUser pi\n", "lab") == _read(
        ssh, f"Include {ssh}/more/a.conf\nUser pi\n", "lab"
    )
    config = _read(ssh, "Include ~/.ssh/more/*\nUser pi\n", "lab")
    assert (config.port, config.user) == (99, "pi")
    assert _read(ssh, "Host none\n Include more/*\n", "lab").port == 22


def test_a_file_that_includes_itself_ends(ssh: Path) -> None:
    assert _read(ssh, "Include config\nPort 99\n", "lab").port == 99


def test_tokens(ssh: Path) -> None:
    text = "Host lab\n HostName %h.local\n User pi\n IdentityFile %d/k_%r_%n_%h_%p_%%\n"
    config = _read(ssh, text, "lab")
    assert config.host == "lab.local"
    assert config.identity_files == (ssh.parent / "k_pi_lab_lab.local_22_%",)


@pytest.mark.parametrize(
    ("lines", "jumps"),
    [
        ("ProxyJump bastion", ("bastion",)),
        ("ProxyJump pi@one:2200, [::1]:22 ,ssh://three", ("pi@one:2200", "[::1]:22", "ssh://three")),
        ("ProxyJump gate-%n-%h:%p", ("gate-lab-lab:22",)),
        ("ProxyJump none", ()),
        ("ProxyJump none\n ProxyJump bastion", ()),
        ("ProxyJump one\n ProxyCommand nc %h %p", ("one",)),
        ("ProxyCommand none\n ProxyJump one", ()),
        ("ProxyCommand ssh -W %h:%p bastion", ("bastion",)),
        ("ProxyCommand exec /usr/bin/ssh -q -x -W [%h]:%p -l pi -p 2200 bastion", ("pi@bastion:2200",)),
        ("ProxyCommand ssh -qTW%h:%p bastion", None),
        ("ProxyCommand ssh pi@bastion -W %h:%p", ("pi@bastion",)),
    ],
)
def test_the_way_round(ssh: Path, lines: str, jumps: tuple[str, ...] | None) -> None:
    text = f"Host lab\n {lines}\n"
    if jumps is None:
        with pytest.raises(LinkError):
            _read(ssh, text, "lab")
    else:
        assert _read(ssh, text, "lab").jumps == jumps


@pytest.mark.parametrize(
    "command",
    [
        "nc %h %p",
        "ssh bastion nc %h %p",
        "ssh -W elsewhere:22 bastion",
        "ssh -W %h:%p",
        "ssh -o ProxyCommand=touch -W %h:%p bastion",
        "ssh -W %h:%p bastion; touch /tmp/x",
        "sh -c 'ssh -W %h:%p bastion'",
        "ssh 'open",
        "ssh - -W %h:%p bastion",
        "\x1b[2J",
    ],
)
def test_a_command_is_refused_with_the_way_out(ssh: Path, command: str) -> None:
    with pytest.raises(LinkError, match="runs no command") as caught:
        _read(ssh, f"Host lab\n ProxyCommand {command}\n", "lab")
    assert "ProxyJump HOST" in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_a_port_that_is_none(ssh: Path) -> None:
    with pytest.raises(LinkError, match="“seven”"):
        _read(ssh, "Port seven\n", "lab")


@pytest.mark.parametrize("port", ["9" * 10_000, "65536", "0", "²", "-1"])
def test_a_port_out_of_range_in_words(ssh: Path, port: str) -> None:
    with pytest.raises(LinkError, match="the port “") as caught:
        _read(ssh, f"Port {port}\n", "lab")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("target", "name"),
    [("board", "board"), ("Board:2200", "[board]:2200"), ("[::1]:2200", "[::1]:2200"), ("::1", "::1")],
)
def test_the_name_in_known_hosts(ssh: Path, target: str, name: str) -> None:
    assert host_config(parse_address(target), ssh).known_hosts_name == name


def test_bytes_that_are_no_text_do_no_harm(ssh: Path) -> None:
    (ssh / "config").write_bytes(b"\xff\xfe\nHost lab\n Port 99\n\x00\n = \nHost\n")
    assert host_config(parse_address("lab"), ssh).port == 99
