# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Verbs rotate, revoke_previous, add_client, revoke_client: each changes the file of CLIENT and nothing else.

# rotate: the new key takes the place of all others, or (KEEP) of all but the present one.
rotate() {
  client_change want_rotated
}

want_rotated() {
  find_client
  readable
  NEW_KEY=$(content_0)
  [ "$(key_of "$CURRENT")" != "$NEW_KEY" ] || refuse same-token "the new token is the one that is live already"
  unused
  say fact previous "$(fingerprint_of "$CURRENT")"
  want_client rotated
}

rotated() {
  heading "${CREATED:-$NOW}" "$NOW"
  key_line
  [ -z "$KEEP" ] || printf '%s\n' "$CURRENT"
}

revoke_previous() {
  client_change want_without_previous
}

want_without_previous() {
  find_client
  readable
  if [ -n "$PREVIOUS" ]; then want_client without_previous; fi
}

without_previous() {
  heading "${CREATED:-$NOW}" "${ROTATED:-$NOW}"
  printf '%s\n' "$CURRENT"
}

add_client() {
  client_change want_added
}

want_added() {
  FILE=$CLIENTS/$CLIENT.map
  [ ! -e "$FILE" ] || refuse client-exists "there is a client $CLIENT already"
  SCOPE=$NEW_SCOPE LIMIT=$NEW_LIMIT NEW_KEY=$(content_0)
  [ -z "$LIMIT" ] || knows_limit
  unused
  want_client added
}

# knows_limit: maps of an older release would let nobody in who has one.
knows_limit() {
  grep -qsF "zone=$LIMIT_ZONE:" "$NGINX_DIR"/conf.d/*.conf ||
    refuse no-gate "the gate of $SITE on this proxy is an older one, which knows no limit of $LIMIT requests a minute"
}

added() {
  heading "$NOW" "$NOW"
  key_line
}

revoke_client() {
  client_change want_revoked
}

want_revoked() {
  find_client
  WANTED="client|$FILE|600|-|gone
"
  [ "$(each_client name_line | grep -c .)" -ne 1 ] || note "$CLIENT is the last client: nobody passes the gate any more"
}

# client_change FUNCTION: one change of the client that FUNCTION wants.
client_change() {
  begin
  healthy=yes
  survey || healthy=no
  say fact nginx "$VERSION"
  LAST=$(last_release) DRIFT=''
  [ -z "$LAST" ] || say release "$(sed -n 's/^id //p' "$LAST/meta")"
  gate_is_here
  "$1"
  [ "$healthy" = yes ] || refuse_sick
  find_master || refuse nginx-stopped "nginx is not running (no master process by $PID_FILE)"
  each_wanted say_file
  carry_out is_here
}

# gate_is_here: a client without a gate that asks for it would be a file that nobody reads.
gate_is_here() {
  why="the gate of $SITE is not on this proxy"
  [ -n "$LAST" ] || refuse no-gate "$why: there is no release of it"
  grep -qsF "include $CLIENTS/" "$NGINX_DIR"/conf.d/*.conf || refuse no-gate "$why: no file in conf.d includes $CLIENTS/*.map"
}

DRY=''
CLIENT='editor'
ABOUT='editor'
KEEP=''
NEW_SCOPE='inference'
NEW_LIMIT=''
LIMIT_ZONE=''
content_0() { printf %s '"~^(?i:bearer) +editor\-0123456789abcdef\z"
'; }
add_client
exit
}
