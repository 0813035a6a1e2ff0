#!/bin/bash
# A typical deployment script: one connection per step, and no rollback.
# Usage: steps.sh JUMP TARGET FOLDER (with the files map, shared, client and vhost)
set -euo pipefail
jump=$1 target=$2
cd "$3"
nginx=/etc/nginx name=ia.enso.4nkweb.com.conf
on() { ssh -o BatchMode=yes -J "$jump" "$target" "sudo -n sh -c '$1'"; }

on "mkdir -p -m 700 $nginx/ia-enso-bearers"
tar -c map shared | on "cd /tmp && tar -x && install -m 600 map $nginx/conf.d/ia-enso-http-maps.conf && install -m 644 shared $nginx/conf.d/websocket-connection-map.conf"
on "cat >$nginx/sites-available/$name" <vhost
on "umask 077; cat >$nginx/ia-enso-bearers/default.map" <client
on "ln -sf $nginx/sites-available/$name $nginx/sites-enabled/$name"
on "nginx -t" 2>/dev/null
on "systemctl reload nginx" 2>/dev/null
on "nginx -T 2>/dev/null | grep -q ia_enso_ollama"
