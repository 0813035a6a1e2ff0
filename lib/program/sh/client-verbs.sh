# shellcheck shell=sh
# Verbs rotate, revoke_previous, add_client, set_client, suspend_client, resume_client, revoke_client: each changes only
# the file of CLIENT.
# Needs: CLIENT CLIENTS EPOCH KEEP LAST NEW_CONCURRENT NEW_LIMIT NEW_SCOPE NL NOW_EPOCH PUBLIC_NAME SOURCE VERB
# Leaves: FIRST_ACT LIVE_NEW WANTED

MAY_DIFFER=60 # seconds of difference between this host's clock and the operator's

# rotate: the new token replaces all others, or (KEEP) all but the current one.
rotate() {
  open_client
  want_client rotate content_0 keep="$KEEP"
  change_clients
}

revoke_previous() {
  open_client
  want_client revoke_previous :
  change_clients
}

add_client() {
  open_clients
  FILE=$CLIENTS/$CLIENT.map
  [ ! -e "$FILE" ] || is_revoked "$CLIENT" || refuse client-exists "there is already a client $CLIENT"
  forget_pending
  find_end
  want_client add content_0 new_scope="$NEW_SCOPE" new_limit="${NEW_LIMIT:--}" new_at_once="${NEW_CONCURRENT:--}" new_end="${NEW_END:--}"
  change_clients
}

set_client() {
  open_client
  find_end
  want_client set : new_scope="$NEW_SCOPE" new_limit="$NEW_LIMIT" new_at_once="$NEW_CONCURRENT" new_end="$NEW_END"
  change_clients
}

suspend_client() {
  FIRST_ACT=end_client
  open_client
  add client "$FILE" 600 "suspended ${SOURCE:-$CLIENTS}/$CLIENT.map"
  change_clients
}

resume_client() {
  open_client
  forget_pending
  add client "$FILE" 600 "resumed ${SOURCE:-$CLIENTS}/$CLIENT.map"
  for name in $(resumed "${SOURCE:-$CLIENTS}/$CLIENT.map" | lines_awk 'read_key($0) && form != "old" { print name "." generation; if (!count++ && end != "-" && end <= now) print "expired" }' now="$EPOCH" -); do
    case $name in
      expired) note "the token of $CLIENT has expired: it is refused until \`bearers.ts set $CLIENT --expires WHEN\`" ;;
      *) LIVE_NEW=$LIVE_NEW$name$NL ;;
    esac
  done
  change_clients
}

resumed() {
  sed 's/^\("=[^"]*" "[^"]*\):suspended\(";\)/\1:-\2/
s/^\("~[^"]*" [^";]*\):suspended;/\1:-;/' "$1"
}

revoke_client() {
  FIRST_ACT=end_client
  open_client any
  WANTED="${WANTED}client|$FILE|600|-|gone$NL"
  [ "$(each_client name_line | grep -c .)" -ne 1 ] || note "$CLIENT is the last client: the gate now rejects every request"
  change_clients
}

# find_end: NEW_END by this host's clock, which nginx uses.
find_end() {
  case $NEW_END in
    '' | -) return 0 ;;
    +*) NEW_END=$((EPOCH + ${NEW_END#+})) ;;
  esac
  off=$((EPOCH - NOW_EPOCH))
  [ "${off#-}" -le "$MAY_DIFFER" ] ||
    note "the clock of this host differs by ${off#-} s from yours; tokens expire by this host's clock"
  [ "$NEW_END" -gt "$EPOCH" ] || refuse client-ended "this time has passed by the clock of the proxy"
}

# find_client [any]: the file of CLIENT, which must exist and be in a format that gatepost reads.
find_client() {
  FILE=$CLIENTS/$CLIENT.map
  if [ ! -e "$FILE" ] || { [ "$VERB" != revoke_client ] && is_revoked "$CLIENT"; }; then
    refuse no-client "there is no client $CLIENT; there are: $(client_names)"
  fi
  check_target client "$FILE"
  [ -n "${1-}" ] || lines_awk 'read_key($0) && name == client { ok = 1 } END { exit !ok }' client="$CLIENT" "$FILE" ||
    refuse client-file "$FILE contains no key line of this client in gatepost's format"
}

client_names() {
  names=$(each_client name_line | tr '\n' ' ')
  names=${names% }
  printf '%s' "${names:-none}"
}

# want_client ACTION FUNCTION [VARIABLE=VALUE…]: the client's file after ACTION; FUNCTION prints a new token, or is `:`.
want_client() {
  action=$1
  shift
  plan_client "$action" "$CLIENT" "$@"
  add client "$FILE" 600 client_text
}

# open_clients: begins a change of clients, if the gate is here.
open_clients() {
  begin
  survey || :
  find_releases
  say_last
  why="the gate of $PUBLIC_NAME is not on this proxy"
  [ -n "$LAST" ] || refuse no-gate "$why: there is no release of it"
  has_gate || refuse no-gate "$why: no file in conf.d includes $CLIENTS/*.map"
  ready_clients
}

open_client() {
  open_clients
  find_client "$@"
}

change_clients() {
  want_gate
  check_nginx
  run_change all_same
}
