#!/bin/sh
# Format, lint, types, shellcheck: the first part of every test run.
set -eu
cd "$(dirname "$0")/.."
command -v shellcheck >/dev/null || { echo 'missing: shellcheck (apt install shellcheck)' >&2 && exit 1; }
npx biome check .
npx tsc &
types=$!
programs=0
node --import "$PWD/test/typescript.mjs" test/lint-programs.ts || programs=$?
wait "$types"
[ "$programs" -eq 0 ]
shellcheck lib/program/sh/hook.sh test/*.sh test/distros/*.sh test/lab/namespaces/*.sh test/lab/faults/*.sh test/lab/stand-ins/*.sh bench/rivals/*.sh .ci/run
