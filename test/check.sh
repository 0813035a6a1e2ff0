#!/bin/sh
# Format, lint, types, shellcheck and unit tests, in half a minute: what to run before every commit.
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
sh test/lint.sh
node --import tsx --test test/unit/*.test.ts
