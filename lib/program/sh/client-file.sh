# shellcheck shell=sh
# A change of one client: its new file, and which of its tokens are live afterwards.
# Needs: EPOCH NL NOW PENDING
# Leaves: ENDING LIVE_NEW

CLIENT_TEXT=

# plan_client ACTION NAME FUNCTION [VARIABLE=VALUE…]: FUNCTION prints a new token, or is `:`. Leaves in CLIENT_TEXT the
# file of the client NAME after ACTION, in LIVE_NEW and ENDING the live files to add and to remove; reports the
# fingerprint of its current token.
plan_client() {
  action=$1 whose=$2 token=$3
  shift 3
  CLIENT_TEXT=
  while IFS= read -r line; do
    rest=${line#* }
    case $line in
      'other '*) refuse same-token "the new token is already used by the client $rest" ;;
      same) refuse same-token "the new token is already the current one" ;;
      ended) refuse client-ended "the client $whose is suspended or has expired" ;;
      'previous '*) say fact previous "$rest" ;;
      'live '*) LIVE_NEW="$LIVE_NEW$rest$NL" ;;
      'ends '*) ENDING="$ENDING$rest$NL" ;;
      'text '*) CLIENT_TEXT="$CLIENT_TEXT$rest$NL" ;;
    esac
  done <<END
$(planned "$token" action="$action" client="$whose" now="$EPOCH" when="$NOW" pending="$(cat "$PENDING/$whose" 2>/dev/null)" "$@")
END
}

token_and_print() { [ "$1" = : ] || { "$1" && printf ' ' && "$1" | fingerprint; }; }

client_text() { printf '%s' "$CLIENT_TEXT"; }

# planned TOKEN-FUNCTION VARIABLE=VALUE…: the lines that plan_client reads.
planned() {
  token=$1
  shift
  token_and_print "$token" | clients_awk '
fresh { new_token = $1; new_print = $2; next }
FILENAME !~ /\.map$/ { next }
{ file = client_of(FILENAME) }
file != client {
  if (read_key($0)) {
    if (form == "hashed") taken[key_of(token)] = 1
    if (token == new_token) other = file
  }
  next
}
# What an earlier run could not complete counts as done.
pending == "revoke_client" { next }
{ read_times() }
read_key($0) { if (pending == "suspend_client") state = "suspended"; save(++count) }
END {
  if (other != "") fail("other " other)
  if (created == "") created = when
  if (rotated == "") rotated = when
  if (action == "rotate") { load(1); if (print_of(generation) != "") print "previous " print_of(generation) }
  if (action == "add") added()
  else if (action == "deploy") deployed()
  else if (action == "rotate") replaced()
  else if (action == "set") for (i = 1; i <= count; i++) { load(i); change(i) }
  else if (action == "revoke_previous") { load(1); put() }
  print_all()
}
function fail(text) { print text; failed = 1; exit }
function save(i) {
  tokens[i] = token; scopes[i] = scope; generations[i] = generation; limits[i] = limit
  at_onces[i] = at_once; ends[i] = end; states[i] = state; forms[i] = form
}
function load(i) {
  token = tokens[i]; scope = scopes[i]; name = client; generation = generations[i]; limit = limits[i]
  at_once = at_onces[i]; end = ends[i]; state = states[i]
}
function put() { text[++lines] = key_line(); if (state != "suspended") live[name "." generation] = 1 }
function put_changed(  base) { split(generation, base, "-"); generate(base[1]); put() }
function put_new() { token = new_token; generate(new_print); put() }
function added() {
  created = rotated = when; name = client; state = "-"
  scope = new_scope; limit = new_limit; at_once = new_at_once; end = new_end
  put_new()
}
function deployed(  i) {
  if (!count) { new_scope = "full"; new_limit = new_at_once = new_end = "-"; old_created = created; added(); created = old_created; return }
  if (tokens[1] == new_token) { load(1); put(); return }
  rotated = when; load(1); put_new()
}
function replaced() {
  if (tokens[1] == new_token) fail("same")
  if (states[1] == "suspended" || ends[1] != "-" && ends[1] <= now) fail("ended")
  rotated = when; load(1); put_new()
  if (keep == "") return
  load(1)
  if (keep == "yes") { put(); return }
  # mawk prints a sum above 2^31 as 2.3e+09.
  if (end == "-" || end > now + keep) end = sprintf("%.0f", now + keep)
  put_changed()
}
function change(i) {
  if (new_scope != "") scope = new_scope
  if (new_limit != "") limit = new_limit
  if (new_at_once != "") at_once = new_at_once
  # No earlier token outlives the current one.
  if (new_end != "" && (i == 1 || new_end != "-" && (end == "-" || new_end < end))) end = new_end
  put_changed()
}
function print_all(  i, old) {
  if (failed) return
  print "text " header(client) "\ntext " created_mark " " created "\ntext " rotated_mark " " rotated
  for (i = 1; i <= lines; i++) print "text " text[i]
  for (i in live) print "live " i
  for (i = 1; i <= count; i++) { old = client "." generations[i]; if (generations[i] != "" && !(old in live)) print "ends " old }
}' "$@" fresh=1 - fresh=0
}
