#!/bin/sh
# A stand-in for systemctl on the lab's hosts, which have no init; knows only nginx and certbot's timer.
set -eu
verb=
unit=
for word; do
	case $word in
	-*) ;;
	*) if [ -z "$verb" ]; then verb=$word; else unit=${word%.service}; fi ;;
	esac
done
running() { [ -s /run/nginx.pid ] && kill -0 "$(cat /run/nginx.pid)" 2>/dev/null; }

case "$verb $unit" in
'reload nginx' | 'reload-or-restart nginx') exec nginx -s reload ;;
'start nginx') running || exec nginx ;;
'stop nginx') exec nginx -s quit ;;
'is-active nginx') if running; then echo active; else echo inactive && exit 3; fi ;;
'is-active certbot.timer') echo active ;;
'is-enabled nginx' | 'is-enabled certbot.timer') echo enabled ;;
'enable certbot.timer' | 'start certbot.timer' | 'daemon-reload ') ;;
*) echo "systemctl (lab): cannot $verb $unit" >&2 && exit 1 ;;
esac
