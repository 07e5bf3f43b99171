"""The command line: one command, one module; every command is thin over ``workflow``. No Qt.

Modules of this package import nothing slow at their top: Typer needs all of them to show the help,
and a command pays only for what it uses.
"""
