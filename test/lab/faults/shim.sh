#!/bin/sh
# Stands before a command in /usr/local/sbin of a proxy: counts the calls and, as /run/shim/plan says
# (CALL before|after SIGNAL, a line each), sends the program a signal; where there is no plan, only the command itself.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
dir=/run/shim
command=${0##*/}
[ -e $dir/plan ] || exec "$command" "$@"
# How often a program waits for the same thing is the machine's business: only its first wait is a call.
[ "$command" != sleep ] || ! grep -q ' sleep ' $dir/calls || exec sleep "$@"
# The program told its own number to the lock.
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
