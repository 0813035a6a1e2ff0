# shellcheck shell=sh
# One run at a time on a host, whatever the site: nginx is tested and reloaded as a whole.

STORE=/var/lib/gatepost
LOCK_WAIT=30 # seconds

# take_lock: waits for another run to end; the kernel frees the lock however its holder dies.
take_lock() {
  umask 077
  why=$(mkdir -p "$STORE/runs" "$STORE/$SITE/releases" 2>&1 && chmod 700 "$STORE" 2>&1) || refuse store "$why"
  command -v flock >/dev/null || refuse tools "flock (package util-linux) is missing on the proxy"
  # A redirection that fails ends the shell where it belongs to a special command (exec, :) and not elsewhere.
  true 2>/dev/null >>"$STORE/lock" || refuse store "cannot write $STORE/lock"
  exec 9>>"$STORE/lock"
  tries=0
  until flock -n 9; do
    [ "$tries" -ne 0 ] || step "wait for the run of $(holder)"
    [ "$tries" -lt $((LOCK_WAIT * 5)) ] || refuse locked "$(holder) holds the lock for $LOCK_WAIT s"
    tries=$((tries + 1))
    sleep 0.2
  done
  printf '%s (site %s, run %s, process %s)\n' "$WHO" "$SITE" "$RUN" "$$" >"$STORE/lock"
}

holder() { head -n 1 "$STORE/lock" 2>/dev/null | tr -d '\t' || echo somebody; }

# claim_run: opens the run's log. A run that was given up while it was on its way does nothing any more.
claim_run() {
  [ ! -e "$STORE/runs/$RUN" ] || refuse cancelled "this run was given up before it began"
  LOG=$STORE/runs/$RUN
  # A page more than is needed: on a full disk the run ends here.
  why=$({ printf '%4096s' '' | cat >"$LOG"; } 2>&1) || refuse store "cannot write $LOG: $why"
  true >"$LOG"
  prune "$STORE/runs" 20
}

# prune DIRECTORY NUMBER: only the newest NUMBER entries stay (names begin with a time or a number).
prune() {
  find "$1" -mindepth 1 -maxdepth 1 | sort -r | tail -n "+$(($2 + 1))" | while IFS= read -r old; do rm -rf "$old"; done
}
