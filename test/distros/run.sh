#!/bin/sh
# Runs every script on the root file systems of other Debian releases, and on a custom nginx build. Not part of `npm
# test`:
# building them takes some ten minutes and 1.5 GB the first time (build-root.sh), the tests some minutes each time.
# Usage: run.sh [SUITE…]: bullseye, trixie and sid; all by default. The nginx is built on trixie.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup.sh debootstrap:debootstrap
[ $# -gt 0 ] || set -- bullseye trixie sid
GATEPOST_ROOTS=
for suite; do GATEPOST_ROOTS="$GATEPOST_ROOTS $(sh test/distros/build-root.sh "$suite")"; done
export GATEPOST_ROOTS
files=test/distros/distros.test.ts
case " $* " in *' trixie '*) files="$files test/distros/own-nginx.test.ts" ;; esac
# shellcheck disable=SC2086 # one word per file
AT_ONCE=${AT_ONCE:-1} exec sh test/twice.sh $files
