# shellcheck shell=sh
# One run at a time per host, for all sites: nginx is tested and reloaded as a whole.
# Needs: RUN SITE TAKE_OVER VERB WHO
# Leaves: FIRST_ACT HELD HOLDER HOLDER_PID IDLE LOG STALLED_AFTER STORE

STORE=/var/lib/gatepost
LOCK_WAIT=30 # seconds
STALLED_AFTER=600 # seconds without progress; no step takes that long
LOCKED=''
RUNS_KEPT=20
# Runs before the recovery of earlier runs.
FIRST_ACT=:

# open_run: takes the lock, opens the log, and rolls back what earlier runs left. `ended` runs however this run ends.
open_run() {
  locked
  claim_run
  trap ended EXIT
  trap 'exit 1' TERM INT
  "$FIRST_ACT"
  recover
}

# locked: takes the lock, and restarts the verb without its descriptor: the shell keeps that open and closes it in every
# command that it starts. So a process left running by somebody else's hook never holds the lock.
locked() {
  [ -z "$LOCKED" ] || return 0
  take_lock
  LOCKED=yes
  "$VERB" 9>&-
  exit
}

# take_lock: waits for another run to end; the kernel frees the lock however its holder dies.
take_lock() {
  umask 077
  why=$(install -d -m 700 "$STORE" "$STORE/runs" "$STORE/$SITE" "$STORE/$SITE/releases" 2>&1) || refuse store "$why"
  command -v flock >/dev/null || refuse tools "flock (package util-linux) is missing on the proxy"
  # A failed redirection ends the shell only for a special built-in (exec, :).
  true 2>/dev/null >>"$STORE/lock" ||
    refuse store "cannot write $STORE/lock: $({ true >>"$STORE/lock"; } 2>&1)"
  exec 9>>"$STORE/lock"
  tries=0
  until flock -n 9; do
    [ "$tries" -ne 0 ] || await_holder
    [ "$tries" -lt $((LOCK_WAIT * 5)) ] || refuse_locked
    tries=$((tries + 1))
    sleep 0.2
  done
  printf '%s (site %s, run %s, process %s)\n' "$WHO" "$SITE" "$RUN" "$$" >"$STORE/lock"
}

await_holder() {
  step wait
  find_holder
  note "waiting for the run of $HOLDER"
  [ -z "$TAKE_OVER" ] || [ "$IDLE" -lt "$STALLED_AFTER" ] || end_holder
}

refuse_locked() {
  find_holder
  held="$HOLDER has held the lock for $(duration "$HELD")"
  [ "$IDLE" -lt "$STALLED_AFTER" ] || refuse lock-stalled "$held, without progress for $(duration "$IDLE")"
  refuse locked "$held"
}

# find_holder: leaves in HOLDER who took the lock last, in HOLDER_PID its process, in HELD and IDLE for how many seconds
# it has held the lock and has made no progress (each step is a line in the log of its run).
find_holder() {
  HOLDER=$(head -n 1 "$STORE/lock" 2>/dev/null | tr -d '\t')
  HOLDER=${HOLDER:-somebody} HOLDER_PID=${HOLDER##*process }
  HOLDER_PID=${HOLDER_PID%")"}
  case $HOLDER_PID in *[!0-9]*) HOLDER_PID= ;; esac
  run=${HOLDER##*, run }
  now=$(date +%s) taken=$(stat -c %Y "$STORE/lock" 2>/dev/null) last=$(stat -c %Y "$STORE/runs/${run%%,*}" 2>/dev/null)
  HELD=$((now - ${taken:-now})) IDLE=$((now - ${last:-taken}))
  [ "$IDLE" -le "$HELD" ] || IDLE=$HELD
}

duration() { if [ "$1" -lt 120 ]; then echo "$1 s"; else echo "$(($1 / 60)) min"; fi; }

# has_lock PID: does that process have the lock file open?
has_lock() { find "/proc/$1/fd" -exec ls -ld {} + 2>/dev/null | grep -q " -> $STORE/lock\$"; }

# end_holder: kills the run that holds the lock and everything it started, so that none of it continues later. Its
# changes are rolled back as after any other kill.
end_holder() {
  [ -n "$HOLDER_PID" ] && has_lock "$HOLDER_PID" || return 0
  note "ending the run of $HOLDER, which has made no progress for $(duration "$IDLE")"
  kill -STOP "$HOLDER_PID"
  for pid in $(family "$HOLDER_PID"); do kill -KILL "$pid" 2>/dev/null; done
}

# family PID: that process and all its descendants.
family() {
  echo "$1"
  for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"); do family "$child"; done
}

# claim_run: opens the run's log. A run that was cancelled before it arrived does nothing.
claim_run() {
  [ ! -e "$STORE/runs/$RUN" ] || refuse cancelled "this run was canceled before it began"
  LOG=$STORE/runs/$RUN
  # One block more than needed: if the disk is full, the run ends here.
  why=$(write_file "$LOG" pad_block 2>&1) || refuse store "cannot write $LOG: $why"
  true >"$LOG"
  prune_runs
}

pad_block() { printf '%4096s' ''; }

# prune_runs: keeps the newest (their names begin with a time), and this one, even if its clock was wrong.
prune_runs() {
  set -- "$STORE"/runs/*
  while [ $# -gt "$RUNS_KEPT" ]; do
    [ "$1" = "$LOG" ] || rm -rf "$1"
    shift
  done
}
