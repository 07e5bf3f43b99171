#!/bin/sh
# Prints a Python that can run ArenaScope (3.11 or newer), or says what is missing. PYTHON=... overrides.
can_run='import sys; sys.exit(sys.version_info < (3, 11))'
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if "$path" -c "$can_run" 2>/dev/null; then
        echo "$path"
        exit 0
    fi
    found="$found $candidate ($("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null))"
done
echo "ArenaScope needs Python 3.11 or newer on this computer; found:${found:- none}." >&2
echo "Install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
