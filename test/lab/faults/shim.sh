#!/bin/sh
# Wraps a command in /usr/local/sbin of a proxy: counts its calls and sends signals to the program as planned in
# /run/shim/plan (one line each: CALL before|after SIGNAL). Without a plan, only runs the command.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
dir=/run/shim
command=${0##*/}
[ -e $dir/plan ] || exec "$command" "$@"
# How often a program polls depends on the machine: only its first sleep counts as a call.
[ "$command" != sleep ] || ! grep -q ' sleep ' $dir/calls || exec sleep "$@"
# The program wrote its PID to the lock.
IFS= read -r holder </var/lib/gatepost/lock 2>/dev/null
program=${holder##*process }
program=${program%)}
read -r count <$dir/count
count=$((count + 1))
echo $count >$dir/count
echo "$count $command $*" >>$dir/calls
hit() {
	while read -r call when signal; do
		[ "$call $when" != "$count $1" ] || kill -s "$signal" "$program"
		[ "$call $when $signal" != "$count before KILL" ] || exit 137
	done <$dir/plan
}
hit before
"$command" "$@"
status=$?
hit after
exit $status
