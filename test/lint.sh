#!/bin/sh
# Format, lint, types, shellcheck: what every run of the tests begins with.
set -eu
cd "$(dirname "$0")/.."
npx biome check .
npx tsc
shellcheck lib/remote/*.sh test/*.sh test/lab/*.sh bench/rivals/*.sh .ci/run
