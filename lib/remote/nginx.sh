# shellcheck shell=sh disable=SC2034 # the parts share their variables
# nginx: what it is and loads, whether it accepts a configuration, whether it really serves it.

NGINX_DIR=/etc/nginx
RELOAD_WAIT=20 # seconds; a taken port shows after 2.5

# find_nginx: version, and the process that takes our reloads.
find_nginx() {
  command -v nginx >/dev/null || refuse nginx-absent "there is no nginx on this host"
  BUILD=$(nginx -V 2>&1)
  VERSION=$(printf '%s\n' "$BUILD" | sed -n 's|^nginx version: [^/]*/\([0-9.]*\).*|\1|p')
  PID_FILE=$(built_with pid-path)
  ERROR_LOG=$(built_with error-log-path)
}

built_with() { printf '%s\n' "$BUILD" | tr ' ' '\n' | sed -n "s|^--$1=||p" | tail -n 1; }

# survey: one `nginx -T`, read as it goes by and never kept, since it prints every token. (It prints nothing but its
# complaint when the configuration is broken: then the files are read as they lie.) Leaves in SURVEY lines
# `message TEXT`, `includes DIRECTORY`, `upgrade FILE` (defines $connection_upgrade), `uses_upgrade FILE`,
# `named FILE`, `pid PATH`, `error_log PATH`, `status N`.
survey() {
  find_nginx
  SURVEY=$(dump | awk -v names="$SERVER_NAMES" '
    BEGIN { split(names, list, " "); for (i in list) ours[list[i]] = 1 }
    /^# configuration file .*:$/ { file = $4; sub(/:$/, "", file); next }
    /^# gatepost status / { print "status " $4; next }
    !file && /^nginx: |\[(emerg|alert|crit|error|warn)\]/ { print "message " $0; next }
    { sub(/(^|[ \t])#.*/, "") }
    match($0, /(^|[ \t;{])include[ \t]+[^;]*;/) {
      path = substr($0, RSTART, RLENGTH)
      gsub(/.*include[ \t]+|["\047; \t]/, "", path); sub(/^\/etc\/nginx\//, "", path)
      if (path == "sites-enabled/*" || path == "sites-enabled/*.conf") print "includes sites-enabled"
      if (path == "conf.d/*.conf" || path == "conf.d/*") print "includes conf.d"
    }
    /\$(connection_upgrade|\{connection_upgrade\})["\047]?[ \t]*(\{|$)/ { print "upgrade " file; next }
    /\$(connection_upgrade([^a-z0-9_]|$)|\{connection_upgrade\})/ { print "uses_upgrade " file }
    /^[ \t]*server_name[ \t]/ { for (i = 2; i <= NF; i++) { name = $i; sub(/;$/, "", name); if (name in ours) print "named " file } }
    $1 == "pid" && $2 ~ /^\// { path = $2; sub(/;$/, "", path); print "pid " path }
    $1 == "error_log" && $2 ~ /^\// && !logged++ { path = $2; sub(/;$/, "", path); print "error_log " path }')
  PID_FILE=$(surveyed pid | tail -n 1 | grep . || printf '%s\n' "$PID_FILE")
  ERROR_LOG=$(surveyed error_log | grep . || printf '%s\n' "$ERROR_LOG")
  [ "$(surveyed status)" = 0 ]
}

dump() {
  if nginx -T 2>&1; then echo '# gatepost status 0'; else read_files && echo '# gatepost status 1'; fi
}

# read_files: what `nginx -T` would print of the files that matter here.
read_files() {
  for file in "$NGINX_DIR"/nginx.conf "$NGINX_DIR"/conf.d/*.conf "$NGINX_DIR"/sites-enabled/*; do
    [ ! -f "$file" ] || { echo "# configuration file $file:"; cat "$file"; echo; }
  done
}

# surveyed KEY: the values that the survey found.
surveyed() { printf '%s\n' "$SURVEY" | sed -n "s/^$1 //p"; }

# test_nginx: nginx's own test; its words are left in TEST. That our name is taken is only a warning to nginx.
test_nginx() {
  TEST=$(nginx -t 2>&1) || return 1
  for name in $SERVER_NAMES; do
    case $TEST in *"conflicting server name \"$name\""*) return 1 ;; esac
  done
}

# find_master: the running master process, by its pid file and its title.
find_master() {
  MASTER=
  read -r MASTER 2>/dev/null <"$PID_FILE" || return 1
  title_of "$MASTER"
  case $TITLE in 'nginx: master process'*) ;; *) return 1 ;; esac
}

# title_of PID: leaves the process title in TITLE.
title_of() {
  TITLE=
  IFS= read -r TITLE 2>/dev/null <"/proc/$1/cmdline" || :
}

# children: the pids of the master's processes, of whatever title.
children() { cat "/proc/$MASTER/task/$MASTER/children" 2>/dev/null || pgrep -P "$MASTER" | tr '\n' ' '; }

# workers: the pids of the workers that accept connections.
workers() {
  for pid in $(children); do
    title_of "$pid"
    case $TITLE in
      'nginx: worker process is shutting down'*) ;;
      'nginx: worker process'*) printf '%s ' "$pid" ;;
    esac
  done
}

# reload_nginx: reloads, and waits until the old workers accept no more and new ones do. Says in WHY why not.
# (nginx -s reload and systemctl return 0 even when the old configuration stays.)
reload_nginx() {
  WHY="nginx is not running (no master process by $PID_FILE)"
  find_master || return 1
  # All of them: one that was only just forked is not titled yet, and old all the same.
  old=" $(children) "
  log_start=$(wc -c <"$ERROR_LOG" 2>/dev/null || echo 0)
  kill -HUP "$MASTER" || return 1
  tries=0
  until has_taken; do
    tries=$((tries + 1))
    WHY=$(log_since "$log_start")
    [ -z "$WHY" ] || return 1
    WHY="the old workers still accept connections $RELOAD_WAIT s after the reload"
    [ "$tries" -lt $((RELOAD_WAIT * 50)) ] || return 1
    sleep 0.02
  done
}

has_taken() {
  fresh=
  for worker in $(workers); do
    case $old in *" $worker "*) return 1 ;; esac
    fresh=yes
  done
  [ -n "$fresh" ]
}

# log_since BYTES: what the master wrote to the error log that means the reload will not take.
log_since() {
  tail -c "+$(($1 + 1))" "$ERROR_LOG" 2>/dev/null | grep "\[emerg\] $MASTER#" | grep -v ' bind() ' | head -n 3
}
