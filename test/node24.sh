#!/bin/sh
# Installs the pinned Node 24 of test/node24, unless it is there already.
set -eu
cd "$(dirname "$0")/node24"
installed=$(find node_modules/.package-lock.json -newer package-lock.json 2>/dev/null || true)
[ -n "$installed" ] || npm ci --no-audit --no-fund >&2
