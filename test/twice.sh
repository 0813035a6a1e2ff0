#!/bin/sh
# Runs test files, several at a time, and repeats failed ones alone: many tests depend on time, and may fail on a busy
# machine. Closes with node's summary of the full run. Files that passed only then are named as flaky; STRICT=1 makes
# that a failure. AT_ONCE is the number of concurrent files, by default five on two cores, since tests mostly wait.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo 'usage: test/twice.sh FILE...' >&2 && exit 2; }
loader=$PWD/test/typescript.mjs
began=$(date +%s)
tallies=$(mktemp -d)
trap 'rm -rf "$tallies"' EXIT

# run TALLY AT_ONCE FILE...: ignores node's own status, which is less precise than the tallies
run() {
  tally=$1 at_once=$2
  shift 2
  node --import "$loader" --test --test-concurrency="$at_once" \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=./test/tally.mjs --test-reporter-destination="$tally" "$@" || return $?
}

status=0
run "$tallies/first" "${AT_ONCE:-$((5 * $(nproc) / 2))}" "$@" || status=$?
again=$(sed -n 's/.*"file":"\([^"]*\)".*"hasFailed":true.*/\1/p' "$tallies/first")
if [ -n "$again" ]; then
  printf '\nFailed, and now once more, alone:\n%s\n\n' "$again"
  # shellcheck disable=SC2086 # one word per file
  run "$tallies/second" 1 $again || :
elif [ "$status" -ne 0 ]; then
  exit "$status"
fi
touch "$tallies/second"
node test/closing.mjs "$began" "$tallies/first" "$tallies/second"
