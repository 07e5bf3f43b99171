#!/bin/sh
# What a release must pass: a fresh clone of HEAD does what README.md says (make test, and make run without a
# display), and its wheel works in an environment of its own.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git clone --quiet "$root" "$work/main"
if [ -d "$root/../shared" ]; then
    ln -s "$(cd "$root/../shared" && pwd)" "$work/shared"
fi
cd "$work/main"
make --no-print-directory test
env -u DISPLAY -u WAYLAND_DISPLAY make --no-print-directory run
test -s report.html

.venv/bin/python -m hatchling build -t wheel -d "$work/wheel" >/dev/null
.venv/bin/python -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check --constraint packaging/constraints.txt "$work"/wheel/*.whl
cd "$work"
venv/bin/arenascope inspect main/resources/examples/cnn.tflite --json --quiet -o run.ascope >/dev/null
venv/bin/arenascope report run.ascope -o run.html
test -s run.html
echo "A fresh clone and its wheel do what they should."
