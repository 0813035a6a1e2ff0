#!/bin/sh
# Everything that CI runs: installs what is missing, then all checks and every test, closing with node's summary.
# Files with a failure run once more, alone: many tests look at a clock, and three at a time they share the machine.
# What is made by chance is the same in both, for all seeds come from this one: else a hole found once would turn green.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh chromium:chromium shellcheck:shellcheck wrk:wrk ansible-playbook:ansible-core \
  fish:fish tcsh:tcsh busybox:busybox locale-gen:locales
sh test/lint.sh

failed=$(mktemp)
trap 'rm -f "$failed"' EXIT
FC_SEED=${FC_SEED:-$(($(date +%s) % 1000000000))}
export FC_SEED
echo "FC_SEED=$FC_SEED"

# run CONCURRENCY FILE…
run() {
  concurrency=$1
  shift
  node --import tsx --test --test-concurrency="$concurrency" \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=./test/failed-files.mjs --test-reporter-destination="$failed" "$@"
}

# shellcheck disable=SC2046 # a word a file
! run 3 $(find test/unit test/e2e test/clients -name '*.test.ts' | sort) || exit 0
[ -s "$failed" ] || exit 1
again=$(cat "$failed")
printf '\nFailed, and now once more, alone:\n%s\n\n' "$again"
# shellcheck disable=SC2086 # a word a file
run 1 $again
