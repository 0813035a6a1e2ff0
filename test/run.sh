#!/bin/sh
# Everything that CI runs: installs missing packages, then runs all checks and every test, closing with node's summary.
# All
# seeds derive from this one, so that a repeated file gets the same random values: otherwise a failure found by chance
# would pass the second time.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh chromium:chromium shellcheck:shellcheck wrk:wrk ansible-playbook:ansible-core \
  fish:fish tcsh:tcsh busybox:busybox locale-gen:locales
sh test/node24.sh
sh test/lint.sh

FC_SEED=${FC_SEED:-$(($(date +%s) % 1000000000))}
export FC_SEED
echo "FC_SEED=$FC_SEED"

# shellcheck disable=SC2046 # one word per file
exec sh test/twice.sh $(find test/clients test/e2e test/unit -name '*.test.ts' | sort)
