#!/bin/sh
# Everything that CI runs: installs what is missing, then all checks and every test, closing with node's summary.
# What is made by chance is the same when a file runs once more, for all seeds come from this one: else a hole found once
# would turn green.
set -eu
cd "$(dirname "$0")/.."
sh test/setup.sh chromium:chromium shellcheck:shellcheck wrk:wrk ansible-playbook:ansible-core \
  fish:fish tcsh:tcsh busybox:busybox locale-gen:locales
sh test/node24.sh
sh test/lint.sh

FC_SEED=${FC_SEED:-$(($(date +%s) % 1000000000))}
export FC_SEED
echo "FC_SEED=$FC_SEED"

# shellcheck disable=SC2046 # a word a file
exec sh test/twice.sh $(find test/clients test/e2e test/unit -name '*.test.ts' | sort)
