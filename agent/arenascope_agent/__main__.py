"""Start of the agent: ``serve``, ``attach``, ``probe``, ``compile``, ``shapes``, or the worker's ``child``.

Runs as a file (``python3 agent/arenascope_agent/__main__.py serve``) and as the archive that
``remote/bundle.py`` makes (``python3 agent.pyz serve``). Everything up to the version check is
written so that any Python, 2.7 included, can read it and say what is wrong.
"""

import os
import sys

if sys.version_info < (3, 9):
    sys.stderr.write(
        "ArenaScope needs Python 3.9 or newer on this device; this is Python %d.%d (%s).\n"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    sys.exit(96)

HERE = os.path.dirname(os.path.abspath(__file__))
#: What Python was started with: this file, or the archive around it.
STARTED_FROM = os.path.abspath(__file__)
if os.path.basename(HERE) != "arenascope_agent":  # at the top of the archive
    STARTED_FROM = HERE
    HERE = os.path.join(HERE, "arenascope_agent")


def own_package():
    # type: () -> None
    """Make this very folder the package, whichever other copy ``sys.path`` may hold.

    The folder itself leaves ``sys.path``: its modules must not answer to names like ``cache``.
    """
    package = type(sys)("arenascope_agent")
    package.__path__ = [HERE]
    package.__file__ = os.path.join(HERE, "__init__.py")
    sys.modules["arenascope_agent"] = package
    sys.path[:] = [entry for entry in sys.path if entry != HERE]


def main(arguments):
    # type: (list[str]) -> int
    own_package()
    if arguments in (["serve"], ["serve", "--ahead"]):
        from arenascope_agent import stdio

        streams = stdio.take()  # before anything else can print into the protocol
        from arenascope_agent import server

        return server.serve(streams, STARTED_FROM, ahead="--ahead" in arguments)
    if len(arguments) == 3 and arguments[0] == "attach":
        from arenascope_agent import attach, session

        seen = arguments[2]
        counts = seen == attach.NEW or (seen.isascii() and seen.isdigit() and len(seen) <= 20)
        if not session.is_session(arguments[1]) or not counts:
            sys.stderr.write("attach: a session and a number of frames are expected\n")
            return 2

        def serve(*client):  # type: ignore[no-untyped-def]
            from arenascope_agent.server import serve_session  # who only joins does not need it

            return serve_session(STARTED_FROM, *client)

        return attach.attach(arguments[1], seen, serve)
    if arguments == ["child"]:
        from arenascope_agent import lifeline

        lifeline.tie_to_server()
        from arenascope_agent import child

        return child.main() or 0
    if arguments == ["shapes"]:
        from arenascope_agent import stdio

        streams = stdio.take()
        from arenascope_agent import lifeline

        lifeline.tie_to_server()
        from arenascope_agent import shapes

        return shapes.serve(streams)
    if len(arguments) == 2 and arguments[0] == "compile":
        from arenascope_agent import compiled

        sys.stdout.write(compiled.write(STARTED_FROM, arguments[1]) + "\n")
        return 0
    if arguments == ["probe"]:
        import json

        from arenascope_agent import probes

        sys.stdout.write(json.dumps(probes.board_facts(), indent=1) + "\n")
        return 0
    sys.stderr.write("usage: %s serve | attach SESSION new|FRAMES | compile VERSION | probe\n" % sys.argv[0])
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
