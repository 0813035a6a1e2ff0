# shellcheck shell=sh
# nginx: what it is and loads, whether it accepts a configuration, whether it really serves it.
# Needs: RELOAD_DUE SERVER_NAMES
# Leaves: ACCEPTED DEFINES_UPGRADE INCLUDES MASTER NGINX_DIR NL SAID TEST USES_UPGRADE VERSION WHY

NL='
'
NGINX_DIR=/etc/nginx
RELOAD_WAIT=20 # seconds; a taken port shows after 2.5

# survey: what nginx is and loads. Leaves
#   VERSION, PID_FILE, ERROR_LOG
#   ACCEPTED, SAID                  whether it accepts its configuration, and what it says of it, a line each
#   INCLUDES                        which of conf.d and sites-enabled it includes
#   DEFINES_UPGRADE, USES_UPGRADE   the files with $connection_upgrade
# Fails when nginx rejects its configuration.
survey() {
  command -v nginx >/dev/null || refuse nginx-absent "nginx is not installed on this host"
  VERSION='' PID_FILE='' ERROR_LOG='' SAID='' INCLUDES='' DEFINES_UPGRADE='' USES_UPGRADE='' ACCEPTED=''
  while read -r key value; do
    case $key in
      version) VERSION=$value ;;
      pid) PID_FILE=$value ;;
      error_log) ERROR_LOG=$value ;;
      says) SAID="${SAID:+$SAID$NL}$value" ;;
      includes) INCLUDES="$INCLUDES $value" ;;
      defines) DEFINES_UPGRADE="$DEFINES_UPGRADE $value" ;;
      uses) USES_UPGRADE="$USES_UPGRADE $value" ;;
      accepted) ACCEPTED=yes ;;
    esac
  done <<END
$(dump | digest)
END
  say fact nginx "$VERSION"
  [ -n "$ACCEPTED" ]
}

# try_nginx FLAG…: all that nginx says. For every map it fills a megabyte and frees it: half of its time, unless the heap
# keeps it (mallopt(3)).
try_nginx() { MALLOC_TOP_PAD_=4194304 nginx "$@" 2>&1; }

# dump: what nginx was built with and all that it loads. (It prints nothing but its complaint when the configuration is
# broken: then the files are read as they lie.)
dump() {
  if try_nginx -T -V; then echo '# gatepost accepted'; else read_files; fi
}

# read_files: what `nginx -T` would print of the files that matter here.
read_files() {
  for file in "$NGINX_DIR"/nginx.conf "$NGINX_DIR"/conf.d/*.conf "$NGINX_DIR"/sites-enabled/*; do
    [ ! -f "$file" ] || { echo "# configuration file $file:"; cat "$file"; echo; }
  done
}

# digest: a dump as lines for `survey`. It is read as it goes by and never kept, since it holds every token.
digest() {
  awk '
    /^# configuration file .*:$/ { file = $4; sub(/:$/, "", file); next }
    /^# gatepost accepted$/ { print "accepted"; next }
    file == "" && /^nginx version: / { sub(/^[^\/]*\//, ""); sub(/[^0-9.].*/, ""); print "version " $0; next }
    file == "" && /^configure arguments: / {
      for (i = 3; i <= NF; i++) {
        if (sub(/^--pid-path=/, "", $i)) print "pid " $i
        if (sub(/^--error-log-path=/, "", $i)) print "error_log " $i
      }
      next
    }
    file == "" && /^nginx: |\[(emerg|alert|crit|error|warn)\]/ { print "says " $0; next }
    { sub(/(^|[ \t])#.*/, "") }
    match($0, /(^|[ \t;{])include[ \t]+[^;]*;/) {
      path = substr($0, RSTART, RLENGTH)
      gsub(/.*include[ \t]+|["\047; \t]/, "", path); sub(/^\/etc\/nginx\//, "", path)
      if (path == "sites-enabled/*" || path == "sites-enabled/*.conf") print "includes sites-enabled"
      if (path == "conf.d/*.conf" || path == "conf.d/*") print "includes conf.d"
    }
    /\$(connection_upgrade|\{connection_upgrade\})["\047]?[ \t]*(\{|$)/ { if (!defines[file]++) print "defines " file; next }
    /\$(connection_upgrade([^a-z0-9_]|$)|\{connection_upgrade\})/ && !uses[file]++ { print "uses " file }
    $1 == "pid" && $2 ~ /^\// { path = $2; sub(/;$/, "", path); print "pid " path }
    $1 == "error_log" && $2 ~ /^\// && !logged++ { path = $2; sub(/;$/, "", path); print "error_log " path }'
}

# test_nginx: nginx's own test; leaves its words in TEST.
test_nginx() {
  TEST=$(try_nginx -t) && accepts_name
}

# accepts_name: nginx only warns of a name that is taken.
accepts_name() {
  for name in $SERVER_NAMES; do
    case $TEST in *"conflicting server name \"$name\""*) return 1 ;; esac
  done
}

# find_master: leaves the running master process in MASTER, by its pid file and its title; in WHY why there is none.
find_master() {
  MASTER='' WHY="nginx is not running (no master process by $PID_FILE)"
  read -r MASTER 2>/dev/null <"$PID_FILE" || return 1
  title_of "$MASTER"
  case $TITLE in 'nginx: master process'*) ;; *) return 1 ;; esac
}

# title_of PID: leaves the process title in TITLE.
title_of() {
  TITLE=
  IFS= read -r TITLE 2>/dev/null <"/proc/$1/cmdline" || :
}

# find_children: leaves in CHILDREN the pids of all of the master's processes.
find_children() {
  CHILDREN=
  read -r CHILDREN 2>/dev/null <"/proc/$MASTER/task/$MASTER/children" || :
  [ -n "$CHILDREN" ] || CHILDREN=$(pgrep -P "$MASTER" | tr '\n' ' ')
}

# find_workers: leaves in WORKERS the pids of those that accept connections.
find_workers() {
  find_children
  WORKERS=
  for pid in $CHILDREN; do
    title_of "$pid"
    case $TITLE in
      'nginx: worker process is shutting down'*) ;;
      'nginx: worker process'*) WORKERS="$WORKERS $pid" ;;
    esac
  done
}

# reload_nginx: reloads, and waits until the old workers accept no more and new ones do. Leaves in WHY why not.
# (nginx -s reload and systemctl return 0 even when the old configuration stays.)
reload_nginx() {
  find_master || return 1
  # All of them: one that was only just forked has no title yet, and is an old one all the same.
  find_children
  old=" $CHILDREN "
  log_start=$(wc -c 2>/dev/null <"$ERROR_LOG") || log_start=0
  kill -HUP "$MASTER" || return 1
  # nginx itself gives its old workers 100 ms. Where it takes longer the host is busy: do not add to that by asking.
  tries=0 pause=0.1
  until sleep "$pause"; reload_done; do
    tries=$((tries + 1))
    WHY="the old workers still accept connections $RELOAD_WAIT s after the reload"
    [ "$tries" -lt $((RELOAD_WAIT * 10)) ] || return 1
    if [ "$tries" -lt 4 ]; then pause=0.02; else pause=0.1; fi
    if [ $((tries % 5)) -eq 0 ] && reload_failed; then return 1; fi
  done
  [ ! -e "$RELOAD_DUE" ] || rm -f "$RELOAD_DUE"
}

reload_done() {
  fresh=
  find_workers
  for worker in $WORKERS; do
    case $old in *" $worker "*) return 1 ;; esac
    fresh=yes
  done
  [ -n "$fresh" ]
}

# reload_failed: did the master write to the error log, since the reload, that it goes on as before? Leaves that in WHY,
# with who holds the ports that it wants.
reload_failed() {
  emergencies=$(tail -c "+$((log_start + 1))" "$ERROR_LOG" 2>/dev/null | grep "\[emerg\] $MASTER#")
  words=$(printf '%s\n' "$emergencies" | grep -v ' bind() ' | head -n 3)
  [ -n "$words" ] || return 1
  WHY=$words
  for taken in $(printf '%s\n' "$emergencies" | sed -n 's/.* bind() to \(.*:[0-9]*\) failed (98:.*/\1/p' | sort -u); do
    WHY=$WHY$NL$(say_holders "${taken##*:}" "${taken%:*}")
  done
}
