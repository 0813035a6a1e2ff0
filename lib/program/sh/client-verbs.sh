# shellcheck shell=sh
# Verbs rotate, revoke_previous, add_client, revoke_client: each changes the file of CLIENT and nothing else.
# Needs: CLIENT CLIENTS CREATED_MARK CURRENT HEADER_END HEADER_START KEEP LAST LIMIT_ZONE NEW_LIMIT NEW_SCOPE NL NOW
# Needs: PREVIOUS PUBLIC_NAME ROTATED_MARK
# Leaves: CREATED FILE LIMIT NEW_KEY ROTATED SCOPE WANTED

# rotate: the new key takes the place of all others, or (KEEP) of all but the present one.
rotate() { change_client want_rotated; }

want_rotated() {
  find_client
  NEW_KEY=$(content_0)
  [ "$(key_of "$CURRENT")" != "$NEW_KEY" ] || refuse same-token "the new token is already the current one"
  unused
  say fact previous "$(fingerprint_of "$CURRENT")"
  ROTATED=$NOW
  if [ -n "$KEEP" ]; then want_client new_key current_key; else want_client new_key; fi
}

revoke_previous() { change_client want_without_previous; }

want_without_previous() {
  find_client
  if [ -n "$PREVIOUS" ]; then want_client current_key; fi
}

add_client() { change_client want_added; }

want_added() {
  FILE=$CLIENTS/$CLIENT.map
  [ ! -e "$FILE" ] || refuse client-exists "there is already a client $CLIENT"
  SCOPE=$NEW_SCOPE LIMIT=$NEW_LIMIT NEW_KEY=$(content_0) CREATED=$NOW ROTATED=$NOW
  # Maps of an older release would accept nobody who has a limit.
  [ -z "$LIMIT" ] || is_in_maps "zone=$LIMIT_ZONE:" ||
    refuse no-gate "the gate of $PUBLIC_NAME on this proxy is from an earlier version, which does not support a limit of $LIMIT requests a minute"
  unused
  want_client new_key
}

revoke_client() { change_client want_revoked; }

want_revoked() {
  find_client any
  WANTED="client|$FILE|600|-|gone$NL"
  [ "$(each_client name_line | grep -c .)" -ne 1 ] || note "$CLIENT is the last client: the gate now rejects every request"
}

# find_client [any]: the file of CLIENT, which must be there and be one that we can rewrite.
find_client() {
  FILE=$CLIENTS/$CLIENT.map
  [ -e "$FILE" ] || refuse no-client "there is no client $CLIENT; there are: $(client_names)"
  check_target client "$FILE"
  read_client "$FILE"
  [ -n "${1-}" ] || is_readable || refuse client-file "$FILE contains no key line in gatepost's format"
}

client_names() {
  names=$(each_client name_line | tr '\n' ' ')
  names=${names% }
  printf '%s' "${names:-none}"
}

# want_client FUNCTION…: the client's file, with the key lines that the FUNCTIONs print.
want_client() { add client "$FILE" 600 "client_file $*"; }

client_file() {
  printf '%s\n' "$HEADER_START$CLIENT$HEADER_END" "$CREATED_MARK ${CREATED:-$NOW}" "$ROTATED_MARK ${ROTATED:-$NOW}"
  for key_line; do "$key_line"; done
}

new_key() { printf '%s %s:%s;\n' "$NEW_KEY" "$SCOPE" "$CLIENT${LIMIT:+:$LIMIT}"; }

current_key() { printf '%s\n' "$CURRENT"; }

# change_client FUNCTION: one change of the client that FUNCTION wants.
change_client() {
  begin
  survey || :
  find_releases
  say_last
  why="the gate of $PUBLIC_NAME is not on this proxy"
  [ -n "$LAST" ] || refuse no-gate "$why: there is no release of it"
  has_gate || refuse no-gate "$why: no file in conf.d includes $CLIENTS/*.map"
  "$1"
  check_nginx
  run_change all_same
}
