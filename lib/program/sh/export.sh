# shellcheck shell=sh
# Verb export_clients: the clients of the gate with their tokens, for copy-client.sh on another proxy. The tokens leave
# only through this connection: this verb has no log, and no command argument contains a token.
# Needs: CLIENTS LIVE RECORDS_IN

export_clients() {
  find_clients_folder
  find_releases
  say_last
  ! is_recorded log_output 'stdout|ttyout' ||
    refuse output-log "sudo logs the output of this command ($RECORDS_IN), and with it every token"
  [ -z "$CLIENTS" ] || say_tokens
  finish unchanged "$LIVE"
}

# say_tokens: row token NAME CREATED ROTATED SCOPE LIMIT CONCURRENT END STATE TOKEN per token, a client's current one
# first. A token that is not live counts as suspended; revoked clients are left out.
say_tokens() {
  live_names | clients_awk '
live { there[$0] = 1; next }
FNR == 1 { file = client_of(FILENAME); created = rotated = "" }
file == "" || index(revoked, " " file " ") { next }
{ read_times() }
read_key($0) {
  if (form == "old") state = "-"
  else if (!(name "." generation in there)) state = "suspended"
  print record "\t" file "\t" created "\t" rotated "\t" scope "\t" limit "\t" at_once "\t" end "\t" state "\t" token
}' record="$(say row token)" revoked=" $(revoked_names) " live=1 - live=0
}

# revoked_names: revoked clients whose files could not be removed yet.
revoked_names() {
  for path in "$CLIENTS"/*.map; do
    name=$(name_of "$path")
    ! is_revoked "$name" || printf '%s ' "$name"
  done
}
