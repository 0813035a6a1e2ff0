# shellcheck shell=sh
# The clients of the gate, a file each: comments, then key lines, the newest first. No token leaves this host, none is
# an argument of a command, and no rollback restores one.
# Needs: CLIENTS FILE NEW_KEY WANTED

key_lines() { sed -n '/^"/p' "$1"; }

# key_of LINE: its first word, quotes included.
key_of() { printf '%s"' "${1%\"*}"; }

each_client() { for path in "$CLIENTS"/*.map; do [ ! -f "$path" ] || "$1" "$path"; done; }

name_of() { name=${1##*/}; printf '%s' "${name%.map}"; }

# unused: the token of FILE's NEW_KEY must not be another client's: the file that comes first would decide whose it is.
unused() { each_client has_key; }

has_key() {
  [ "$1" = "$FILE" ] || ! has_new_key <"$1" || refuse same-token "the new token is already used by the client $(name_of "$1")"
}

has_new_key() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in "$NEW_KEY "*) return 0 ;; esac
  done
  return 1
}

# repair_client TEXT: makes comments of the damaged lines of a client's file that nginx names in TEXT; nothing of it is lost.
repair_client() {
  [ -n "$CLIENTS" ] || return 1
  for path in "$CLIENTS"/*.map; do
    case "$1:$WANTED" in *" in $path:"*"|$path|"*) continue ;; *" in $path:"*) ;; *) continue ;; esac
    if [ ! -f "$path" ] || [ -L "$path" ]; then continue; fi
    note "$path is damaged: invalid lines were turned into comments; the client $(name_of "$path") may need a new token"
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
