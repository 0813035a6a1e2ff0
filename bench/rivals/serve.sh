#!/bin/sh
# Sets up, on a host of the lab, one of the servers that the gate is measured with. The server under test has one core
# for itself, whatever asks and answers it has the other.
# Usage: serve.sh upstream | one-core | ungated | caddy (with the token in BEARER)
set -eu
here=${0%/*} vhost=/etc/nginx/sites-available/ia.enso.4nkweb.com.conf

case $1 in
  upstream) exec taskset -c 0 nginx -c "$here/upstream.conf" 2>/dev/null ;;
  one-core) # from the next reload on
    sed -i 's/^worker_processes .*/worker_processes 1;/' /etc/nginx/nginx.conf
    taskset -pc 1 "$(cat /run/nginx.pid)"
    ;;
  ungated) # the tests, the limits and the client's name in the log: nothing of the gate is left to work out
    # shellcheck disable=SC2016 # nginx's variables
    sed -i -e '/^ *if (\$ia_enso/,/}/d' -e '/limit_req zone=ia_enso_ollama_/d' -e 's/ \$ia_enso_ollama_client / - /' "$vhost"
    nginx -s reload
    ;;
  caddy)
    nginx -s stop
    GOMAXPROCS=1 HOME=/root exec taskset -c 1 caddy start --config "$here/Caddyfile" --adapter caddyfile >/dev/null 2>&1
    ;;
esac
