#!/bin/sh
# Opens the window; without a display, does the same inspection and writes it as a page.
set -eu
arenascope=$1 example=resources/examples/lstm.tflite
if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}" ] && [ -z "${WAYLAND_DISPLAY:-}" ]; then
    echo "No display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window cannot open."
    echo "Inspecting $example on this computer instead ..."
    "$arenascope" report "$example" -o report.html --quiet
    echo "Report: $(pwd)/report.html"
else
    exec "$arenascope" "$example"
fi
