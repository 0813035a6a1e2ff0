# shellcheck shell=sh
# The running nginx: its processes, a reload, and the proof that it serves the new configuration, even if somebody else
# stops, restarts or upgrades it in the meantime.
# Needs: ERROR_LOG NL PID_FILE RELOAD_DUE
# Leaves: MASTER OLD_MASTER TITLE WHY WORKERS

RELOAD_WAIT=20 # seconds; nginx reports a taken port after 2.5
RESTART_WAIT=3 # seconds for nginx to be back if somebody restarts it
UPGRADE_WAIT=10 # seconds for somebody else's binary upgrade of nginx to end
# The masters that are known to serve this run's configuration.
PROVEN=''

# find_master: leaves the running master process in MASTER, found by its PID file and title; in WHY why there is none.
find_master() {
  MASTER='' WHY="nginx is not running (no master process by $PID_FILE)"
  read -r MASTER 2>/dev/null <"$PID_FILE" || return 1
  is_master "$MASTER"
}

is_master() {
  title_of "$1"
  case $TITLE in 'nginx: master process'*) ;; *) return 1 ;; esac
}

# await_master: the same, but waits: during a restart, there is none for a moment.
await_master() {
  waited=0
  until find_master; do
    [ "$waited" -lt $((RESTART_WAIT * 10)) ] || return 1
    waited=$((waited + 1))
    sleep 0.1
  done
}

# title_of PID: leaves the process title in TITLE.
title_of() {
  TITLE=
  IFS= read -r TITLE 2>/dev/null <"/proc/$1/cmdline" || :
}

# find_children MASTER: leaves in CHILDREN the PIDs of all of the master's processes.
find_children() {
  CHILDREN=
  read -r CHILDREN 2>/dev/null <"/proc/$1/task/$1/children" || :
  [ -n "$CHILDREN" ] || CHILDREN=$(pgrep -P "$1" | tr '\n' ' ')
}

# find_workers MASTER: leaves in WORKERS the PIDs of those that accept connections.
find_workers() {
  find_children "$1"
  WORKERS=
  for pid in $CHILDREN; do
    title_of "$pid"
    case $TITLE in
      'nginx: worker process is shutting down'*) ;;
      'nginx: worker process'*) WORKERS="$WORKERS $pid" ;;
    esac
  done
}

# is_stopped: does no nginx accept connections?
is_stopped() {
  read -r MASTER 2>/dev/null <"$PID_FILE" && is_master "$MASTER" || return 0
  find_workers "$MASTER"
  [ -z "$WORKERS" ]
}

# reload_nginx: reloads, and waits until the old workers accept no connections and new ones do. Leaves in WHY why not.
# (nginx -s reload and systemctl return 0 even if the old configuration stays active.)
reload_nginx() {
  PROVEN=''
  await_master || return 1
  while reload_master "$MASTER"; do
    reloaded=$MASTER
    # nginx may have been restarted or upgraded in the meantime.
    await_master || return 1
    if [ "$MASTER" = "$reloaded" ]; then
      [ ! -e "$RELOAD_DUE" ] || rm -f "$RELOAD_DUE"
      return 0
    fi
  done
  return 1
}

# reload_master MASTER: fails if it keeps its old configuration, not if it ends: another one may succeed it.
reload_master() {
  # All of them: a worker that was just forked has no title yet, but is an old one.
  find_children "$1"
  old=" $CHILDREN "
  log_start=$(wc -c 2>/dev/null <"$ERROR_LOG") || log_start=0
  # During an upgrade it would start more workers with its old configuration; only its successor counts.
  ! is_replaced "$1" || return 0
  kill -HUP "$1" 2>/dev/null || return 0
  # nginx itself gives its old workers 100 ms. If it takes longer, the host is busy: poll less often.
  tries=0 pause=0.1
  until sleep "$pause"; reload_done "$1"; do
    tries=$((tries + 1))
    WHY="the old workers still accept connections $RELOAD_WAIT s after the reload"
    [ -n "$WORKERS" ] || WHY='nginx is being stopped: none of its workers accepts connections'
    [ "$tries" -lt $((RELOAD_WAIT * 10)) ] || return 1
    if [ "$tries" -lt 4 ]; then pause=0.02; else pause=0.1; fi
    [ $((tries % 5)) -eq 0 ] || continue
    is_master "$1" || return 0
    ! reload_failed "$1" || return 1
  done
  PROVEN="$PROVEN $1 "
}

reload_done() {
  fresh=
  find_workers "$1"
  for worker in $WORKERS; do
    case $old in *" $worker "*) return 1 ;; esac
    fresh=yes
  done
  [ -n "$fresh" ]
}

# reload_failed MASTER: has it logged, since the reload, that it keeps its old configuration? Leaves that in WHY, with
# the holders of the ports that it needs.
reload_failed() {
  emergencies=$(tail -c "+$((log_start + 1))" "$ERROR_LOG" 2>/dev/null | grep "\[emerg\] $1#")
  words=$(printf '%s\n' "$emergencies" | grep -v ' bind() ' | head -n 3)
  [ -n "$words" ] || return 1
  WHY=$words
  for taken in $(printf '%s\n' "$emergencies" | sed -n 's/.* bind() to \(.*:[0-9]*\) failed (98:.*/\1/p' | sort -u); do
    WHY=$WHY$NL$(say_holders "${taken##*:}" "${taken%:*}")
  done
}

# is_replaced MASTER: is another master taking its place, in a binary upgrade?
is_replaced() { read -r OLD_MASTER 2>/dev/null <"$PID_FILE.oldbin" && [ "$OLD_MASTER" = "$1" ]; }

# has_old_master: during a binary upgrade (USR2), the previous master, which keeps its configuration; leaves it in
# OLD_MASTER.
has_old_master() { read -r OLD_MASTER 2>/dev/null <"$PID_FILE.oldbin" && is_master "$OLD_MASTER"; }

# find_old_master: the same, as long as its workers accept connections.
find_old_master() {
  has_old_master || return 1
  case $PROVEN in *" $OLD_MASTER "*) return 1 ;; esac
  find_workers "$OLD_MASTER"
  [ -n "$WORKERS" ]
}

# await_old_master: waits until there is none. Leaves in WHY that there still is one.
await_old_master() {
  waited=0
  while find_old_master; do
    WHY="the old master process of nginx (process $OLD_MASTER, $PID_FILE.oldbin) still serves the previous configuration"
    [ "$waited" -ne 0 ] || note "an upgrade of nginx is in progress: waiting for its old master process, $OLD_MASTER, to stop serving"
    [ "$waited" -lt $((UPGRADE_WAIT * 5)) ] || return 1
    waited=$((waited + 1))
    sleep 0.2
  done
}
