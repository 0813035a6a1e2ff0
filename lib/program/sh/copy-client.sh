# shellcheck shell=sh
# Verb copy_client: creates the files of another proxy's clients (export.sh) here, with the same tokens, in one change.
# content_0 prints a line per token, a client's current one first: NAME PRINT CREATED ROTATED SCOPE LIMIT CONCURRENT END
# STATE TOKEN, separated by tabs.
# Needs: CLIENTS NL
# Leaves: LIVE_NEW

COPIES=

copy_client() {
  open_clients
  want_copies
  change_clients
}

# want_copies: a client that is here with the same token stays unchanged; if one has another token, nothing is copied.
want_copies() {
  names='' taken=''
  while IFS= read -r line; do
    rest=${line#* }
    case $line in
      'exists '*) taken="$taken${taken:+, }$rest" ;;
      'other '*) refuse same-token "the token of ${rest% *} is already used by the client ${rest#* }" ;;
      'same '*) note "the client $rest is already there with the same token: unchanged" ;;
      'client '*) names="$names $rest" ;;
      'live '*) LIVE_NEW="$LIVE_NEW$rest$NL" ;;
      'text '*) COPIES="$COPIES$rest$NL" ;;
    esac
  done <<END
$(planned_copies)
END
  [ -z "$taken" ] || refuse copy-exists "already there with another token: $taken"
  for name in $names; do add client "$CLIENTS/$name.map" 600 "copy_of $name"; done
}

copy_of() { printf '%s' "$COPIES" | sed -n "s/^$1 //p"; }

# planned_copies: the lines that want_copies reads.
planned_copies() {
  content_0 | clients_awk '
incoming { if (split($0, field, "\t") == 10) rows[++count] = $0; next }
FNR == 1 { file = client_of(FILENAME); there[file] = 1 }
read_key($0) {
  if (form == "hashed") taken[key_of(token)] = 1
  owner[token] = file
  if (!(file in present)) present[file] = token
}
END {
  for (i = 1; i <= count; i++) {
    split(rows[i], field, "\t"); name = field[1]; token = field[10]
    if (name != last) begin()
    if (name in there) continue
    if (token in owner) { print "other " name " " owner[token]; exit }
    scope = field[5]; limit = field[6]; at_once = field[7]; end = field[8]; state = field[9]
    generate(field[2])
    mine[token] = name
    print "text " name " " key_line()
    if (state != "suspended") print "live " name "." generation
  }
}
function begin(  each) {
  for (each in mine) owner[each] = mine[each]
  last = name
  if (name in there) { print (present[name] == token ? "same " : "exists ") name; return }
  print "client " name
  print "text " name " " header(name)
  print "text " name " " created_mark " " field[3]
  print "text " name " " rotated_mark " " field[4]
}' incoming=1 - incoming=0
}
