# shellcheck shell=sh
# Verb status: the state of this host, in rows. Writes nothing, takes no lock. ONLY is backends, clients, listens, tls
# (before an order) or everything.
# Needs: ACCEPTED ACCESS_LOG CLIENTS DEFINES_UPGRADE DRIFT EPOCH HELD HOLDER HOLDER_PID IDLE LAST LINK
# Needs: LIVE MAP_DIR NL OLD_MASTER ONLY PID_FILE RECORDS_IN RELEASES REPORTING_UPSTREAM REPORT_PATHS SAID STALLED_AFTER
# Needs: STORE VHOST_NAME
# Leaves: CHAIN

LOG_TAIL=4000000 # bytes of the access log, for the last use of each client
PROBE_WAIT=4     # seconds for a backend to accept a connection; for an absent host, the kernel gives up after three
REPORT_SIZE=500000 # bytes of a backend's report: about a thousand models

status() {
  if [ "$ONLY" = tls ]; then
    inspect_tls
    finish unchanged 0
  fi
  find_releases
  say_last
  if [ "$ONLY" = listens ] || [ "$ONLY" = backends ]; then
    survey || :
    say_listens
    [ "$ONLY" = listens ] || say_backends
    finish unchanged 0
  fi
  [ "$ONLY" = everything ] || find_clients_folder
  [ "$ONLY" != everything ] || say_nginx
  [ -z "$CLIENTS" ] || say_clients
  say_gate
  if [ "$ONLY" = everything ]; then
    say_releases
    say_files
    say_vhost
    say_listens
    say_backends
    say_selinux
    say_tls
    [ -z "$CLIENTS" ] || say_leaks
    say_lock
  fi
  finish unchanged "$LIVE"
}

inspect_tls() {
  find_releases
  step certificate
  survey || :
  say_vhost
  say_certificate
  say_usable
  say_obstacles
  say_renewing
}

# say_clients: row client NAME SCOPE LIMIT CONCURRENT STATE END CREATED ROTATED LAST-USE EXACT [FINGERPRINT END]… per
# client; END in seconds since 1970. One process reads all files. STATE is live, suspended, expired, ended (not live) or
# old (from an earlier release, whose files have no fingerprints); SCOPE is ? if no line is readable.
say_clients() {
  scan_clients
  { live_names | sed 's/^/live /' && say_uses; } | clients_awk '
known { if ($1 == "live") there[$2] = 1; else used[$2] = $3 " " $4; next }
FNR == 1 { say_empty(FILENAME); begin(FILENAME) }
file == "" { next }
{ read_times() }
read_key($0) && name == file {
  if (!count++) { own_scope = scope; own_limit = shown(limit); own_at_once = shown(at_once); own_end = shown(end); own_state = state_of() }
  if (form == "exact") exact = "exact"
  prints = prints "\t" print_of(generation) "\t" shown(end)
}
END { say_empty("") }
function begin(path) { file = client_of(path); created = rotated = prints = exact = ""; count = 0 }
function say_empty(path) {
  say_client(); file = ""
  while (++at < ARGC && ARGV[at] != path) if (ARGV[at] ~ /\.map$/) { begin(ARGV[at]); say_client(); file = "" }
}
function shown(text) { return text == "-" ? "" : text }
function state_of() {
  if (form == "old") return "old"
  if (state == "suspended") return "suspended"
  if (end != "-" && end <= now) return "expired"
  return name "." generation in there ? "live" : "ended"
}
function say_client() {
  if (file == "") return
  if (!count) { own_scope = "?"; own_limit = own_at_once = own_state = own_end = "" }
  print record "\t" file "\t" own_scope "\t" own_limit "\t" own_at_once "\t" own_state "\t" own_end "\t" created "\t" rotated "\t" used[file] "\t" exact prints
}' record="$(say row client)" now="$EPOCH" known=1 - known=0
}

say_uses() {
  tail -c "$LOG_TAIL" "$ACCESS_LOG" 2>/dev/null | awk '
    $2 ~ /^[a-z0-9][a-z0-9_-]*$/ { last[$2] = substr($3, 2) " " substr($4, 1, 5) }
    END { for (name in last) print "used", name, last[name] }'
}

# say_nginx: facts nginx, healthy, running, old_master; nginx's messages if it rejects its configuration; row upgrade
# FILE for each that defines $connection_upgrade.
say_nginx() {
  step survey
  find_nginx
  is_installed || { say fact nginx absent; return; }
  if survey; then say fact healthy yes; else say fact healthy no; fi
  if find_master; then say fact running yes; else say fact running no; fi
  ! has_old_master || say fact old_master "process $OLD_MASTER, $PID_FILE.oldbin"
  [ -z "$SAID" ] || printf '%s\n' "$SAID" | redact | while IFS= read -r line; do say row message "$line"; done
  for file in $DEFINES_UPGRADE; do say row upgrade "$file"; done
}

# say_releases: row release ID KIND WHEN WHO ABOUT GATEPOST, the newest first.
say_releases() {
  set --
  for release in $RELEASES; do set -- "$@" "$release"; done
  awk -v record="$(say row release)" 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      split("", value)
      while ((getline line <(ARGV[i] "/meta")) > 0) {
        key = line; sub(/ .*/, "", key); gsub(/\t/, "", line)
        if (!(key in value)) value[key] = substr(line, length(key) + 2)
      }
      close(ARGV[i] "/meta")
      id = ARGV[i]; sub(/^.*\//, "", id); sub(/^[^.]*\./, "", id)
      print record "\t" id "\t" value["kind"] "\t" value["when"] "\t" value["who"] "\t" value["about"] "\t" value["gatepost"]
    }
  }' "$@"
}

# say_files: row file PATH ok|changed|removed, for the last release.
say_files() {
  [ -n "$LAST" ] || return 0
  find_drift
  while read -r _ path _; do
    how=$NL$DRIFT
    case $how in *"$NL$path|"*) how=${how#*"$NL$path|"} && how=${how%%"$NL"*} ;; *) how=ok ;; esac
    say row file "$path" "$how"
  done <"$LAST/state"
  say_drift
}

# say_vhost: fact vhost tls|http-only, for the vhost that nginx reads, or else the release's. Before an order: broken if
# nginx rejects its configuration, other if the site is still on TLS under an earlier name.
say_vhost() {
  find_vhost
  [ -n "$VHOST" ] || return 0
  kind=http-only
  ! is_on_tls "$VHOST" || kind=tls
  if [ "$ONLY" != tls ]; then
    say_served "$VHOST"
  elif [ -z "$ACCEPTED" ]; then
    kind=broken
  elif [ "$kind" = tls ] && [ "${VHOST##*/}" != "$VHOST_NAME" ]; then
    kind=other
  fi
  say fact vhost "$kind"
}

# find_vhost: leaves it in VHOST, under nginx's path if nginx reads it.
find_vhost() {
  VHOST=''
  check_layout
  link_of "$VHOST_NAME"
  recorded=$([ -z "$LAST" ] || sed -n 's/^vhost \([^ ]*\) .*/\1/p' "$LAST/state" | head -n 1)
  for file in "$LINK" "$MAP_DIR/$VHOST_NAME" "$recorded"; do
    [ -n "$VHOST" ] || [ ! -f "$file" ] || VHOST=$file
  done
}

# say_listens: row listen, the address to query the vhost at; fact default_server, the addresses where it is that
# because no other vhost is.
say_listens() {
  find_vhost
  [ -z "$VHOST" ] || plan_listens "$VHOST" current
}

in_vhost() { [ -z "$VHOST" ] || cat "$VHOST"; }

# say_backends: row backend ADDRESS PORT STATE for the active `server` lines, tested concurrently; and the reports of
# those in REPORTING_UPSTREAM.
say_backends() {
  step backends
  reporting=$(in_vhost | sed -n "/^upstream ${REPORTING_UPSTREAM:-none} {/,/^}/p" | servers_in)
  for backend in $(in_vhost | servers_in); do
    say_backend "${backend%:*}" "${backend##*:}" &
  done
  wait
}

servers_in() { sed -n 's/^ *server \([0-9.]*:[0-9]*\).*;.*/\1/p' | sort -u; }

# say_backend ADDRESS PORT: open, closed (refused by the host), unreachable (according to the network), silent (no
# answer: off, or behind a firewall that drops packets), or untested.
say_backend() {
  if command -v bash >/dev/null; then
    words=$(timeout "$PROBE_WAIT" bash -c ": </dev/tcp/$1/$2" 2>&1)
    case $?:$words in
      0:*) how=open ;;
      124:*) how=silent ;;
      *refused*) how=closed ;;
      *) how=unreachable ;;
    esac
  elif command -v nc >/dev/null; then
    nc -z -w "$PROBE_WAIT" "$1" "$2" </dev/null >/dev/null 2>&1 && how=open || how=closed
  else
    how=untested
  fi
  say row backend "$1" "$2" "$how"
  if [ "$how" = open ] && printf '%s\n' "$reporting" | grep -qxF "$1:$2"; then
    for path in $REPORT_PATHS; do say_report "$1" "$2" "$path" & done
    wait
  fi
}

# say_report ADDRESS PORT PATH: row report ADDRESS PORT PATH PIECE, once without a piece and for each piece of a
# response with status 200, without line breaks and unprintable characters. Others write at the same time: a piece fits
# into one write.
say_report() {
  say row report "$1" "$2" "$3" ''
  request "$@" 2>/dev/null | head -c "$REPORT_SIZE" | tr -cd '\n -~' |
    awk 'NR == 1 { good = $2 == 200 } good && body; $0 == "" { body = 1 }' | tr -d '\n' | fold -w 2000 |
    while IFS= read -r piece || [ -n "$piece" ]; do say row report "$1" "$2" "$3" "$piece"; done
}

# request ADDRESS PORT PATH: the response to a GET, including its headers. (curl may be missing.)
request() {
  get='printf "GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"'
  if command -v bash >/dev/null; then
    timeout "$PROBE_WAIT" bash -c "exec 3<>/dev/tcp/$1/$2; $get $3 >&3; cat <&3"
  else
    sh -c "$get $3" | timeout "$PROBE_WAIT" nc "$1" "$2"
  fi
}

# say_tls: fact certificate PATH, the certificate in the vhost, and who renews it.
say_tls() {
  named=$(in_vhost | sed -n 's/^ *ssl_certificate \([^ ;]*\);.*/\1/p' | head -n 1)
  [ -n "$named" ] || return 0
  CHAIN=$named
  say fact certificate "$CHAIN"
  say_certificate
  say_renewing
}

# say_leaks: row leak KIND FILE: software that copies tokens out of the files that contain them, and the first client file
# that users other than root can read or change.
say_leaks() {
  ! is_recorded log_input 'stdin|ttyin' || say row leak inputLog "$RECORDS_IN"
  if [ -d /etc/.git ] && ! git -C /etc check-ignore -q "$CLIENTS/any.map" 2>/dev/null; then say row leak etckeeper /etc/.git; fi
  open=$(stat -c '%a %u %g %n' "$CLIENTS" "$CLIENTS"/*.map 2>/dev/null | awk '
    { others = substr($1, length($1) - ($3 != 0)) }
    NR == 1 && $2 == 0 && others ~ /^0+$/ { exit }
    $2 != 0 || others ~ /[2367]/ || (NR > 1 && others ~ /[45]/) { print $4; exit }')
  [ -z "$open" ] || say row leak openFiles "$open"
}

# say_lock: row busy WHO [stalled], for the active run (its process still has the lock open), and which run was left
# unfinished.
say_lock() {
  find_holder
  if [ -n "$HOLDER_PID" ] && has_lock "$HOLDER_PID"; then
    stalled=
    [ "$IDLE" -lt "$STALLED_AFTER" ] || stalled="stalled for $(duration "$IDLE")"
    say row busy "$HOLDER, for $(duration "$HELD")" "$stalled"
    return
  fi
  for journal in "$STORE"/*/journal; do
    [ ! -d "$journal" ] || say row unfinished "$(tr -d '\t' <"$journal/run" 2>/dev/null)"
  done
}
