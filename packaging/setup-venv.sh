#!/bin/sh
# Usage: setup-venv.sh VENV WHAT    Makes a virtual environment and installs ArenaScope ('.' or '.[dev]') into it.
set -eu
venv=$1 what=$2
here=$(dirname "$0")

works() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

# A folder with something else in it is not ours to fill. An environment that does not work (no pip: it was
# half made; no Python: that has gone) is made anew in its place; nothing else in it is touched.
if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv" 2>/dev/null || echo file)" ]; then
    echo "$venv is there already and is no virtual environment; give another place, as in: make VENV=.venv" >&2
    exit 1
fi

if ! works; then
    python=$("$here/find-python.sh")
    echo "Making $venv with $("$python" --version) ..."
    rm -f "$venv"/bin/python "$venv"/bin/python3*  # venv keeps a link that leads nowhere
    if ! "$python" -m venv "$venv" >/dev/null 2>&1 || ! works; then
        # Debian keeps the venv module in a package of its own; without it an environment has no pip.
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            sh "$here/apt-install.sh" python3-venv
            "$python" -m venv "$venv"
        else
            echo "This Python cannot make virtual environments. On Debian: sudo apt-get install python3-venv" >&2
            exit 1
        fi
    fi
fi

echo "Installing $what (the first time takes a few minutes) ..."
for attempt in 1 2 3; do
    if "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
        --constraint "$here/constraints.txt" --editable "$what"; then
        exit 0
    fi
    echo "Attempt $attempt failed." >&2
    sleep "$attempt"
done
echo "pip could not install ArenaScope; its own words are above." >&2
exit 1
