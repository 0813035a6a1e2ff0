#!/bin/sh
# Sets up, on a host of the lab, one of the servers that the gate is measured with, on the cores that it is given:
# as many workers as these.
# Usage: serve.sh upstream | nginx | ungated | caddy CORES (with the token in BEARER)
set -eu
here=${0%/*} vhost=/etc/nginx/sites-available/ia.enso.4nkweb.com.conf cores=$2
count=$(printf %s "$cores" | tr , '\n' | grep -c '')

case $1 in
  upstream) exec taskset -c "$cores" nginx -c "$here/upstream.conf" 2>/dev/null ;;
  nginx) # from the next reload on
    sed -i "s/^worker_processes .*/worker_processes $count;/" /etc/nginx/nginx.conf
    taskset -pc "$cores" "$(cat /run/nginx.pid)"
    ;;
  ungated) # the tests, the limits and the client's name in the log: nothing of the gate is left to work out
    # shellcheck disable=SC2016 # nginx's variables
    sed -i -e '/^ *if (\$ia_enso/,/}/d' -e '/limit_req zone=ia_enso_ollama_/d' -e 's/ \$ia_enso_ollama_client / - /' "$vhost"
    nginx -s reload
    ;;
  caddy)
    nginx -s stop
    GOMAXPROCS=$count HOME=/root exec taskset -c "$cores" caddy start --config "$here/Caddyfile" --adapter caddyfile >/dev/null 2>&1
    ;;
esac
