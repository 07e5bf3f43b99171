"""The real server of a session with another worker: ``serve_session.py SESSION new|SEEN SILENCE IDLE WORKER …``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2] / "agent"))

from arenascope_agent import attach, server

name, seen, silence, idle, *worker = sys.argv[1:]


def serve(*client: Any) -> int:
    return server.serve_session(
        __file__, *client, worker_argv=worker, silence=float(silence), idle=float(idle)
    )


sys.exit(attach.attach(name, seen, serve))
