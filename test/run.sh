#!/bin/sh
# Everything that CI runs: installs what is missing, then all checks and every test, closing with node's summary.
# Files with a failure run once more, alone: many tests look at a clock, and three at a time they share the machine.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh chromium:chromium
npx biome check .
npx tsc
shellcheck lib/remote/*.sh test/*.sh test/lab/*.sh bench/rivals/*.sh .ci/run

failed=$(mktemp)
trap 'rm -f "$failed"' EXIT

# run CONCURRENCY FILE…
run() {
  concurrency=$1
  shift
  node --import tsx --test --test-concurrency="$concurrency" \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=./test/failed-files.mjs --test-reporter-destination="$failed" "$@"
}

! run 3 test/unit/*.test.ts test/e2e/*.test.ts test/clients/*.test.ts || exit 0
[ -s "$failed" ] || exit 1
again=$(cat "$failed")
printf '\nFailed, and now once more, alone:\n%s\n\n' "$again"
# shellcheck disable=SC2086 # a word a file
run 1 $again
