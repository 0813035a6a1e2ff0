# shellcheck shell=sh
# nginx: its version and files, and whether it accepts a configuration.
# Needs: NGINX PREFIX SERVER_NAMES VARIABLES
# Leaves: ACCEPTED CLAIMS CONF DEFINES_UPGRADE ELSEWHERE ERROR_LOG INCLUDES LISTENS NL PID_FILE SAID TEST USES_UPGRADE VERSION

NL='
'

# survey: reads nginx's build and configuration. Leaves
#   VERSION, CONF, PID_FILE, ERROR_LOG
#   ACCEPTED, SAID                  whether it accepts its configuration, and its messages, one per line
#   INCLUDES, ELSEWHERE             its include lines, in http and in other contexts, one per line (digest.sh)
#   LISTENS                         the listeners on ports 80 and 443, one per line
#   DEFINES_UPGRADE, USES_UPGRADE   the files with $connection_upgrade
#   CLAIMS                          the files that define one of VARIABLES, each with the name, one per line
# Fails if nginx rejects its configuration.
survey() {
  find_nginx
  check_installed
  VERSION='' CONF='' PID_FILE='' ERROR_LOG='' SAID='' ACCEPTED=''
  INCLUDES='' ELSEWHERE='' LISTENS='' DEFINES_UPGRADE='' USES_UPGRADE='' CLAIMS=''
  while read -r key value; do
    case $key in
      version) VERSION=$value ;;
      conf) CONF=$value ;;
      pid) PID_FILE=$value ;;
      error_log) ERROR_LOG=$value ;;
      says) SAID="${SAID:+$SAID$NL}$value" ;;
      includes) INCLUDES="$INCLUDES$value$NL" ;;
      elsewhere) ELSEWHERE="$ELSEWHERE$value$NL" ;;
      listens | stream) LISTENS="$LISTENS$key $value$NL" ;;
      defines) DEFINES_UPGRADE="$DEFINES_UPGRADE $value" ;;
      uses) USES_UPGRADE="$USES_UPGRADE $value" ;;
      claims) CLAIMS="$CLAIMS$value$NL" ;;
      accepted) ACCEPTED=yes ;;
    esac
  done <<END
$(dump | digest "$PREFIX" "$VARIABLES")
END
  [ -z "$CONF" ] || use_folder "${CONF%/*}"
  say fact nginx "$VERSION"
  [ -n "$ACCEPTED" ]
}

# try_nginx FLAG…: everything that nginx prints. For every map, it allocates and frees a megabyte, which takes half of
# its time unless the heap keeps it (mallopt(3)).
try_nginx() { eval "MALLOC_TOP_PAD_=4194304 $NGINX \"\$@\"" 2>&1; }

# dump: nginx's build options and everything it loads. (If the configuration is broken, it prints only the error; then
# the files are read directly.)
dump() {
  if try_nginx -T -V; then
    echo '# gatepost accepted'
  else
    read_files "$(try_nginx -t | sed -n 's/^nginx: configuration file \(.*\) test failed$/\1/p')"
  fi
}

# read_files FILE: what `nginx -T` would print for the file and everything it includes.
read_files() {
  queue=$1 read=' '
  while [ -n "$queue" ]; do
    wanted=$queue queue=''
    for file in $wanted; do
      case $read in *" $file "*) continue ;; esac
      [ -f "$file" ] || continue
      read="$read$file "
      echo "# configuration file $file:"
      cat "$file"
      echo
      queue="$queue $(included_by "$file")"
    done
  done
}

# included_by FILE: the patterns in its include lines.
included_by() {
  sed -n 's/#.*//; s/.*\(^\|[[:blank:];{}]\)include[[:blank:]]\{1,\}\([^;]*\);.*/\2/p' "$1" | tr -d "\"'" |
    while IFS= read -r pattern; do
      case $pattern in /*) printf '%s\n' "$pattern" ;; *) printf '%s\n' "${1%/*}/$pattern" ;; esac
    done
}

# test_nginx: runs nginx -t; leaves its output in TEST.
test_nginx() {
  TEST=$(try_nginx -t) && accepts_name
}

# accepts_name: nginx only warns about a server_name conflict.
accepts_name() {
  for name in $SERVER_NAMES; do
    case $TEST in *"conflicting server name \"$name\""*) return 1 ;; esac
  done
}
