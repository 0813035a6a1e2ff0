#!/bin/sh
# Starts one of the servers that the gate is compared with on a host of the lab, on the given cores, with one worker
# per core.
# Usage: serve.sh upstream | nginx | caddy CORES (with the token in BEARER)
set -eu
here=${0%/*} cores=$2
count=$(printf %s "$cores" | tr , '\n' | grep -c '')

case $1 in
  upstream) exec taskset -c "$cores" nginx -c "$here/upstream.conf" 2>/dev/null ;;
  nginx) # from the next reload on
    sed -i "s/^worker_processes .*/worker_processes $count;/" /etc/nginx/nginx.conf
    taskset -pc "$cores" "$(cat /run/nginx.pid)"
    ;;
  caddy)
    nginx -s stop
    GOMAXPROCS=$count HOME=/root exec taskset -c "$cores" caddy start --config "$here/Caddyfile" --adapter caddyfile >/dev/null 2>&1
    ;;
esac
