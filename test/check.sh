#!/bin/sh
# Format, lint, types, shellcheck and unit tests, in half a minute: what to run before every commit.
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
sh test/lint.sh
# shellcheck disable=SC2046 # a word a file
node --import "$PWD/test/typescript.mjs" --test $(find test/unit -name '*.test.ts')
