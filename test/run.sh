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

# The long ones first: at the end, short ones keep every core busy.
largest_first() { find "$@" -name '*.test.ts' -printf '%s %p\n' | sort -k 1,1nr -k 2 | cut -d ' ' -f 2; }

# shellcheck disable=SC2046 # a word a file
exec sh test/twice.sh $(largest_first test/e2e) $(largest_first test/clients test/unit)
