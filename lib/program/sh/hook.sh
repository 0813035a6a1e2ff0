#!/bin/sh
# Installed by gatepost. certbot runs this after every renewal: nginx serves a new certificate only once it is reloaded.
# A reload is harmless if another certificate was renewed.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
lock=/var/lib/gatepost/lock

reload() {
  if ! nginx -t -q; then
    echo 'gatepost: nginx refuses its configuration, so it goes on serving the old certificate' >&2
    return 1
  fi
  nginx -s reload
}

# Not during a change of gatepost; if that change started certbot, it holds the lock.
command -v nginx >/dev/null || exit 0
if [ -z "${GATEPOST_RUN:-}" ] && [ -w "$lock" ]; then
  (flock -w 120 9; reload) 9>>"$lock"
else
  reload
fi
