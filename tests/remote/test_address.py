"""What a person may write as the place of a device."""

from __future__ import annotations

import pytest

from arenascope.errors import UsageError
from arenascope.remote.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("pi4-lab", None, "pi4-lab", None),
        ("pi@pi4-lab.local", "pi", "pi4-lab.local", None),
        ("pi@10.0.0.7:2222", "pi", "10.0.0.7", 2222),
        ("10.0.0.7:65535", None, "10.0.0.7", 65535),
        ("[fe80::1]:2200", None, "fe80::1", 2200),
        ("root@[::1]", "root", "::1", None),
        ("root@::1", "root", "::1", None),
        ("2001:db8::7", None, "2001:db8::7", None),
        ("fe80::1%eth0", None, "fe80::1%eth0", None),
        ("ssh://pi@board:22/", "pi", "board", 22),
        ("first.last@corp@board", "first.last@corp", "board", None),
        ("jörg@board", "jörg", "board", None),
        ("_under_score-1", None, "_under_score-1", None),
        ("  pi@board  ", "pi", "board", None),
        ("münchen.local", None, "münchen.local", None),
    ],
)
def test_forms(text: str, user: str | None, host: str, port: int | None) -> None:
    assert parse_address(text) == Address("ssh", text.strip(), host, user, port)


def test_this_computer() -> None:
    assert parse_address("local").kind == "local"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@board",
        "pi@",
        "-oProxyCommand=x",
        "pi@-board",
        "-x@board",
        "a b",
        "board;rm",
        "board:",
        "board:0",
        "board:65536",
        "board:22x",
        "board:²²",
        "board:-1",
        "[board]:22",
        "[::1",
        "[::1]x",
        "[::1]:",
        "1:2:3",
        "pi@board\n",
        "pi\x1b[31m@board",
        "http://board",
    ],
)
def test_what_is_no_address(text: str) -> None:
    if text == "pi@board\n":  # a line end from a paste is no harm
        assert parse_address(text).host == "board"
        return
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "user@host:port" in caught.value.hint
