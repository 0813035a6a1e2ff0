# shellcheck shell=sh
# nginx: what it is and loads, and whether it accepts a configuration.
# Needs: SERVER_NAMES
# Leaves: ACCEPTED DEFINES_UPGRADE ERROR_LOG INCLUDES NGINX_DIR NL PID_FILE SAID TEST USES_UPGRADE VERSION

NL='
'
NGINX_DIR=/etc/nginx

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
