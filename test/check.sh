#!/bin/sh
# Format, lint, types, shellcheck and unit tests, in seconds: what to run before every commit.
set -eu
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npx biome check .
npx tsc
shellcheck lib/remote/*.sh test/*.sh test/lab/*.sh bench/rivals/*.sh .ci/run
node --import tsx --test test/unit/*.test.ts
