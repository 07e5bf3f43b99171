"""The real server with another command for its worker: ``serve_scripted.py WORKER [ARGUMENT …]``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "agent"))

from arenascope_agent import stdio
from arenascope_agent.channel import Channel
from arenascope_agent.loop import Loop
from arenascope_agent.server import Server

streams = stdio.take()
loop = Loop()
sys.exit(Server(loop, Channel(loop, *streams), "scripted", sys.argv[1:]).run())
