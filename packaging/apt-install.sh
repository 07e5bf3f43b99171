#!/bin/sh
# Usage: apt-install.sh PACKAGE...    Installs Debian packages, trying again when a mirror stumbles. Needs root.
set -eu
export DEBIAN_FRONTEND=noninteractive
for attempt in 1 2 3; do
    if apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "$@" >/dev/null </dev/null; then
        exit 0
    fi
    echo "apt-get: attempt $attempt failed." >&2
    sleep $((attempt * 5))
done
exit 1
