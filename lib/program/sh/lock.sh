# shellcheck shell=sh
# One run at a time on a host, for all sites: nginx is tested and reloaded as a whole.
# Needs: RUN SITE WHO
# Leaves: LOG STORE

STORE=/var/lib/gatepost
LOCK_WAIT=30 # seconds
RUNS_KEPT=20

# open_run: takes the lock, opens the log, and rolls back what earlier runs left. `ended` runs however this one ends.
open_run() {
  take_lock
  claim_run
  trap ended EXIT
  trap 'exit 1' TERM INT
  recover
}

# take_lock: waits for another run to end; the kernel frees the lock however its holder dies.
take_lock() {
  umask 077
  why=$(install -d -m 700 "$STORE" "$STORE/runs" "$STORE/$SITE" "$STORE/$SITE/releases" 2>&1) || refuse store "$why"
  command -v flock >/dev/null || refuse tools "flock (package util-linux) is missing on the proxy"
  # A redirection that fails ends the shell where it belongs to a special command (exec, :) and not elsewhere.
  true 2>/dev/null >>"$STORE/lock" ||
    refuse store "cannot write $STORE/lock: $({ true >>"$STORE/lock"; } 2>&1)"
  exec 9>>"$STORE/lock"
  tries=0
  until flock -n 9; do
    [ "$tries" -ne 0 ] || { step wait; note "waiting for the run of $(holder)"; }
    [ "$tries" -lt $((LOCK_WAIT * 5)) ] || refuse locked "$(holder) holds the lock for $LOCK_WAIT s"
    tries=$((tries + 1))
    sleep 0.2
  done
  printf '%s (site %s, run %s, process %s)\n' "$WHO" "$SITE" "$RUN" "$$" >"$STORE/lock"
}

holder() { head -n 1 "$STORE/lock" 2>/dev/null | tr -d '\t' || echo somebody; }

# claim_run: opens the run's log. A run that was given up on while it was on its way does nothing any more.
claim_run() {
  [ ! -e "$STORE/runs/$RUN" ] || refuse cancelled "this run was canceled before it began"
  LOG=$STORE/runs/$RUN
  # A block more than is needed: on a full disk the run ends here.
  why=$(write_file "$LOG" pad_block 2>&1) || refuse store "cannot write $LOG: $why"
  true >"$LOG"
  prune_runs
}

pad_block() { printf '%4096s' ''; }

# prune_runs: the newest stay (their names begin with a time), and this one, even if its clock was wrong.
prune_runs() {
  set -- "$STORE"/runs/*
  while [ $# -gt "$RUNS_KEPT" ]; do
    [ "$1" = "$LOG" ] || rm -rf "$1"
    shift
  done
}
