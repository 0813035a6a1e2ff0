#!/bin/sh
# Everything that CI runs: installs what is missing, then all checks and every test, closing with node's summary.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh
npx biome check .
npx tsc
shellcheck lib/remote/*.sh test/*.sh test/lab/*.sh .ci/run
exec node --import tsx --test --test-concurrency=2 test/unit/*.test.ts test/e2e/*.test.ts test/clients/*.test.ts
