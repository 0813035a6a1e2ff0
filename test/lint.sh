#!/bin/sh
# Format, lint, types, shellcheck: what every run of the tests begins with.
set -eu
cd "$(dirname "$0")/.."
command -v shellcheck >/dev/null || { echo 'missing: shellcheck (apt install shellcheck)' >&2 && exit 1; }
npx biome check .
npx tsc
node --import tsx test/lint-programs.ts
shellcheck lib/program/sh/hook.sh test/*.sh test/distros/*.sh test/lab/namespaces/*.sh test/lab/faults/*.sh test/lab/stand-ins/*.sh bench/rivals/*.sh .ci/run
