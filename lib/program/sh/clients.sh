# shellcheck shell=sh disable=SC2034,SC2153 # the parts share their variables
# The clients of the gate, a file each: comments, then key lines, the newest first. No token leaves this host, none is
# an argument of a command, and no rollback brings one back.

# read_client PATH: leaves in CREATED, ROTATED, SCOPE, LIMIT, CURRENT and PREVIOUS what a client's file says.
read_client() {
  CREATED=$(dated created "$1") ROTATED=$(dated rotated "$1")
  CURRENT=$(key_lines "$1" | sed -n 1p)
  PREVIOUS=$(key_lines "$1" | sed -n 2p)
  grant=${CURRENT##* }
  grant=${grant%;}
  SCOPE=${grant%%:*} LIMIT=${grant#*:*:}
  [ "$LIMIT" != "$grant" ] || LIMIT=
}

dated() { sed -n "s/^# $1 \([0-9TZ:-]*\)\$/\1/p" "$2" | head -n 1; }

key_lines() { sed -n '/^"/p' "$1"; }

# key_of LINE: its first word, quotes included.
key_of() { printf '%s"' "${1%\"*}"; }

# fingerprint_of LINE: the first 12 digits of its token's SHA-256; nothing for a line that is not ours.
fingerprint_of() {
  token=${1#'"~^(?i:bearer) +'}
  [ "$token" != "$1" ] || return 0
  token=${token%\"*}
  printf '%s' "${token%'\z'}" | sed 's/[\\]//g' | sha256 | cut -c 1-12
}

each_client() { for path in "$CLIENTS"/*.map; do [ ! -f "$path" ] || "$1" "$path"; done; }

name_of() { name=${1##*/}; printf '%s' "${name%.map}"; }

# find_client: the file of CLIENT, which must be there and be one of ours.
find_client() {
  FILE=$CLIENTS/$CLIENT.map
  [ -e "$FILE" ] || refuse no-client "there is no client $CLIENT; there are: $(client_names)"
  check_target client "$FILE"
  read_client "$FILE"
}

client_names() {
  names=$(each_client name_line | tr '\n' ' ')
  names=${names% }
  printf '%s' "${names:-none}"
}

name_line() { name_of "$1"; echo; }

# readable: only a file that we can read is rewritten.
readable() {
  case $SCOPE in full | inference) ;; *) refuse client-file "$FILE holds no key line of the form that this suite writes" ;; esac
}

# unused: the token of FILE's NEW_KEY must not be another client's: the file that comes first would decide who it is.
unused() { each_client has_key; }

has_key() {
  [ "$1" = "$FILE" ] || ! has_new_key <"$1" || refuse same-token "the new token is the one of the client $(name_of "$1")"
}

has_new_key() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in "$NEW_KEY "*) return 0 ;; esac
  done
  return 1
}

# want_client FUNCTION: the client's file, as FUNCTION prints it.
want_client() { add client "$FILE" 600 "$1"; }

# heading CREATED ROTATED
heading() {
  echo "# Client \"$CLIENT\" of the bearer gate. This file holds a secret: keep it root's, mode 0600."
  echo "# created $1"
  echo "# rotated $2"
}

key_line() { printf '%s %s:%s;\n' "$NEW_KEY" "$SCOPE" "$CLIENT${LIMIT:+:$LIMIT}"; }

# repair_client TEXT: makes comments of the damaged lines of a client's file that nginx names in TEXT; nothing of it is lost.
repair_client() {
  [ -n "$CLIENTS" ] || return 1
  for path in "$CLIENTS"/*.map; do
    case "$1:$WANTED" in *" in $path:"*"|$path|"*) continue ;; *" in $path:"*) ;; *) continue ;; esac
    if [ ! -f "$path" ] || [ -L "$path" ]; then continue; fi
    note "$path is damaged: its bad lines become comments; the client $(name_of "$path") may need a new token"
    add client "$path" 600 "repaired $path"
    return 0
  done
  return 1
}

repaired() {
  sed '/^#/b
/^$/b
/^"[^"]*" [a-z]*:[a-z0-9_-]*\(:[0-9]*\)\{0,1\};$/b
s/^/# damaged: /' "$1"
}
