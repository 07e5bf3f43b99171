"""What can go wrong between here and a device, in words: what, why, next step.

``ssh_errors.py`` and ``ssh_session.py`` say which of these a foreign error is. Here is only what is read.
"""

from __future__ import annotations

from ..errors import AuthenticationError, HostKeyChanged, HostKeyUnknown, LinkError, LinkLost
from .prompts import fingerprint_command

_BUSY = "It may be busy or short of memory: wait a moment and try again."


def no_address(name: str, detail: str) -> LinkError:
    return LinkError(
        f"No address is known for the name of {name}.",
        hint="Check the spelling, try NAME.local, or use the device's IP address.",
        detail=detail,
    )


def refused(name: str, port: int, detail: str) -> LinkError:
    return LinkError(
        f"{name} refuses connections on port {port}.",
        hint="Check the port, and that an SSH server runs there: sudo systemctl enable --now ssh",
        detail=detail,
    )


def silent(name: str, port: int, detail: str, waited: float | None = None) -> LinkError:
    within = "" if waited is None else f" within {waited:g} s"
    return LinkError(
        f"{name} does not answer on port {port}{within}.",
        hint="Check that the device is on and in the same network, and that no firewall is between.",
        detail=detail,
    )


def no_way(name: str, why: str, detail: str) -> LinkError:
    return LinkError(
        f"There is no way to {name}: {why}.",
        hint="Check the network of this computer and of the device.",
        detail=detail,
    )


def cut(name: str, detail: str) -> LinkLost:
    return LinkLost(
        f"The connection to {name} was lost.",
        hint="Connect again. A device that is short of memory may cut connections for a moment.",
        detail=detail,
    )


def cut_early(name: str, port: int, detail: str) -> LinkLost:
    return LinkLost(
        f"{name} broke the connection on port {port} before the login could begin, several times in a row.",
        hint="A device that is short of memory does so for a moment: wait and try again. If it stays, check "
        "the port, and whether the SSH server there turns this computer away (journalctl -u ssh shows it).",
        detail=detail,
    )


def too_slow(name: str, detail: str) -> LinkError:
    return LinkError(f"{name} did not answer in time.", hint=_BUSY, detail=detail)


def slow_banner(name: str, port: int, waited: float, detail: str) -> LinkError:
    return LinkError(
        f"What answers on port {port} of {name} did not introduce itself as an SSH server "
        f"within {waited:g} s.",
        hint="Check the port. A device that swaps may need longer: wait a moment and try again.",
        detail=detail,
    )


def slow_keys(name: str, waited: float, detail: str) -> LinkError:
    return LinkError(
        f"{name} introduced itself, but did not exchange keys within {waited:g} s.", hint=_BUSY, detail=detail
    )


def slow_login(name: str, user: str, waited: float, detail: str) -> LinkError:
    return LinkError(
        f"{name} did not answer the login of {user} within {waited:g} s.",
        hint="It may be busy, or wait for a directory of accounts that is away: try again in a moment.",
        detail=detail,
    )


def slow_channel(name: str, waited: float, detail: str) -> LinkError:
    return LinkError(f"{name} did not open a channel within {waited:g} s.", hint=_BUSY, detail=detail)


def slow_command(name: str, waited: float, detail: str) -> LinkError:
    return LinkError(f"{name} did not begin a command within {waited:g} s.", hint=_BUSY, detail=detail)


def slow_upload(name: str, waited: float, detail: str) -> LinkError:
    return LinkError(
        f"{name} took nothing more of a file for {waited:g} s.",
        hint="Its network or its disk may be stuck: try again; what has arrived is not sent a second time.",
        detail=detail,
    )


def no_command(name: str, detail: str) -> LinkError:
    return LinkError(
        f"{name} lets this account run no command.",
        hint="Look at the account's entry in authorized_keys and at ForceCommand in the sshd_config there.",
        detail=detail,
    )


def no_forwarding(hop: str, name: str, target: tuple[str, int], detail: str) -> LinkError:
    return LinkError(
        f"{hop} does not forward connections to {_place(target)}, and {name} is reached through it.",
        hint="Look at AllowTcpForwarding and PermitOpen in the sshd_config there, or take another way.",
        detail=detail,
    )


def hop_cannot_reach(hop: str, name: str, target: tuple[str, int], detail: str) -> LinkError:
    return LinkError(
        f"{hop} cannot connect to {_place(target)}.",
        hint=f"Check that {name} is on and that its SSH server runs; its name is looked up there, not here.",
        detail=detail,
    )


def hop_is_slow(hop: str, name: str, target: tuple[str, int], waited: float, detail: str) -> LinkError:
    return LinkError(
        f"{hop} got no connection to {_place(target)} within {waited:g} s.",
        hint=f"Check that {name} is on and in the network of that host.",
        detail=detail,
    )


def _place(target: tuple[str, int]) -> str:
    return f"{target[0]}, port {target[1]}"


def no_ssh_server(name: str, port: int, detail: str) -> LinkError:
    return LinkError(
        f"What answers on port {port} of {name} did not introduce itself as an SSH server.",
        hint="Check the port. A server that is overloaded or blocks this address does the same: try later.",
        detail=detail,
    )


def no_common_algorithm(name: str, detail: str) -> LinkError:
    return LinkError(
        f"{name} and this program have no common way to encrypt.",
        hint="The SSH server there is very old or set up very strictly; update it or its settings.",
        detail=detail,
    )


def no_channel(name: str, detail: str) -> LinkError:
    return LinkError(
        f"{name} does not open another channel.",
        hint="Close other programs that use the device; look at MaxSessions in its sshd_config.",
        detail=detail,
    )


def forbidden_order(name: str, detail: str) -> LinkError:
    return LinkError(
        f"The messages of {name} came in a forbidden order.",
        hint="Somebody may be tampering with the connection. Do not use this network.",
        detail=detail,
    )


def bad_configuration(name: str, detail: str) -> LinkError:
    return LinkError(
        f"The SSH configuration for {name} cannot be used.", hint="Correct ~/.ssh/config.", detail=detail
    )


def not_let_in(name: str, detail: str) -> AuthenticationError:
    return AuthenticationError(f"{name} refuses the login.", detail=detail)


def unknown_key(name: str, shown: str, key_type: str, address: str) -> HostKeyUnknown:
    """``shown``: the type and fingerprint of the key that nobody accepted; ``address``: the device that
    was asked for, which may lie behind ``name``."""
    return HostKeyUnknown(
        f"{name} is not known here, and nobody accepted its key {shown}.",
        hint="Compare it with what the device itself shows "
        f"({fingerprint_command(key_type)}), then accept it with: "
        f"arenascope devices add {address}",
    )


def changed_key(name: str, shown: str, known: str, remedy: str, where: str) -> HostKeyChanged:
    """``known``: type and fingerprint in the line ``where``; ``remedy``: the command that removes it."""
    return HostKeyChanged(
        f"The host key of {name} has changed. It shows {shown}; known is {known}.",
        hint=f"If the device was set up anew: {remedy}, and add it again. "
        "If not, somebody may stand between you and the device: do not connect.",
        detail=where,
    )


def revoked_key(name: str, shown: str, where: str) -> HostKeyChanged:
    return HostKeyChanged(
        f"The host key of {name} is marked as revoked: {shown}.",
        hint="Do not connect before the device has a new key.",
        detail=where,
    )


def other(name: str, why: str, detail: str) -> LinkError:
    return LinkError(f"The SSH connection to {name} failed: {why}.", detail=detail)
