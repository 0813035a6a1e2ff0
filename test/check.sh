#!/bin/sh
# Format, lint, types, shellcheck and unit tests, in half a minute: run this before every commit.
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
sh test/lint.sh
# shellcheck disable=SC2046 # one word per file
node --import "$PWD/test/typescript.mjs" --test $(find test/unit -name '*.test.ts')
