#!/bin/sh
# Runs, as root, a program of gatepost that root has approved on this host, and nothing else. It is installed as
# /usr/local/sbin/gatepost-run, the only command that sudo has to allow; its list is in /etc/gatepost/programs.
#
# The program comes on stdin. What differs from run to run (ids, times, names, tokens) is masked, each by its form, which
# lib/program/approved-runner.ts fills in; the checksum of all the rest must be in the list. What runs is the very text
# that was checked.
__PRELUDE__

# mask: a line that may differ begins with `?` afterwards, every other one with `=`, so that none can pass for another.
mask() {
  sed -E '
s/^/=/
__MASKS__
'
}

# For approve.ts, which makes the list.
if [ "$*" = mask ]; then
  mask
  exit
fi

text=$(cat && echo .)
text=${text%.}
sum=$(printf '%s' "$text" | mask | sha256sum)
if ! grep -qs "^${sum%% *} " /etc/gatepost/programs/*; then
  echo 'gatepost-run: this program is not approved on this host' >&2
  exit 77
fi
eval "$text"
