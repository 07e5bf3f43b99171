"""Every error that this program raises on purpose.

    ArenaScopeError            message, hint (what to do), detail (evidence)
    ├── UsageError             the request itself makes no sense                  exit 2
    ├── InputError             a model or file cannot be used                     exit 3
    │   ├── ModelError         not a model, truncated, unknown operator
    │   ├── ShapeError         a model that does not take the shapes asked for
    │   └── FileError          missing, directory, permission, disk full
    ├── StoreError             a capture, device list or setting is damaged       exit 3
    ├── LinkError              the device cannot be reached or refused us         exit 4
    │   ├── HostKeyUnknown     first meeting, and nobody said yes
    │   ├── HostKeyChanged     hard stop
    │   ├── AuthenticationError
    │   └── LinkLost           the connection ended in the middle
    │       └── SessionOver    it can be made again, and what was going on there is gone
    ├── DeployError            the agent could not be placed or started           exit 4
    ├── SetupError             what a device needs cannot be had or does not work exit 4
    ├── WireError              what arrived is not the protocol                   exit 4
    ├── BoardError             the agent reported a failure (``code``)            exit 4
    ├── RunFailed              a run that the answer needs did not come to its end  exit 3, 5, 6
    └── Cancelled              somebody asked to stop

A kill, a crash or a refusal of memory on the device is not an error but an ``Outcome``; where something
else is asked for than how a run ends, ``RunFailed`` says that there is no answer.
Exit codes are those of the command line; ``__main__`` is the only place that uses them.
"""

from __future__ import annotations


class ArenaScopeError(Exception):
    """``message`` names the thing and the reason, ``hint`` the next step, ``detail`` the evidence."""

    exit_code = 1
    code = "error"
    default_hint = ""

    def __init__(self, message: str, *, hint: str | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.detail = detail


class UsageError(ArenaScopeError):
    exit_code = 2
    code = "usage"
    default_hint = "Run the command with --help to see what it takes."


class InputError(ArenaScopeError):
    exit_code = 3
    code = "input"


class ModelError(InputError):
    code = "model"
    default_hint = "Check that the file is a complete .tflite model; convert or download it again."


class ShapeError(InputError):
    code = "shape"
    default_hint = (
        "Give shapes that the model takes, or change them in the file: convert it again with an open "
        "dimension, or use arenascope rebatch."
    )


class FileError(InputError):
    code = "file"
    default_hint = "Check the path and its permissions."


class StoreError(ArenaScopeError):
    exit_code = 3
    code = "store"


class LinkError(ArenaScopeError):
    exit_code = 4
    code = "link"
    default_hint = "Check that the device is on, reachable, and that its SSH server runs."


class HostKeyUnknown(LinkError):
    code = "host_key_unknown"
    default_hint = (
        "Compare the fingerprint with the device's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), "
        "then accept it with: arenascope devices add USER@HOST"
    )


class HostKeyChanged(LinkError):
    code = "host_key_changed"
    default_hint = (
        "If the device was set up anew, remove the old key with ssh-keygen -R and add it again. "
        "If not, somebody may stand between you and the device: do not connect."
    )


class AuthenticationError(LinkError):
    code = "authentication"
    default_hint = "Check the user name; give a password or a key that the device accepts."


class LinkLost(LinkError):
    code = "link_lost"


class SessionOver(LinkLost):
    """The device answers, and what ran there is no more: nothing to come back to."""

    code = "session_over"


class DeployError(ArenaScopeError):
    exit_code = 4
    code = "deploy"


class SetupError(ArenaScopeError):
    exit_code = 4
    code = "setup"


class WireError(ArenaScopeError):
    exit_code = 4
    code = "wire"
    default_hint = "Close the connection and try again; if it stays, report the detail."


class BoardError(ArenaScopeError):
    """An error that the agent reported; ``board_code`` is its code on the wire."""

    exit_code = 4
    code = "board"

    def __init__(
        self, message: str, *, board_code: str = "", hint: str | None = None, detail: str = ""
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.board_code = board_code


class RunFailed(ArenaScopeError):
    """``status`` is how the run ended, as in ``Outcome``."""

    code = "run"

    def __init__(self, message: str, *, status: str, hint: str | None = None, detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.status = status
        self.exit_code = {"failed": 3, "killed": 5, "refused": 5}.get(status, 6)


class Cancelled(ArenaScopeError):
    exit_code = 1
    code = "cancelled"
