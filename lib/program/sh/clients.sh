# shellcheck shell=sh
# The clients of the gate, one file each: comments, then a line per token, the newest first. No token becomes a command
# argument. A rollback restores clients only if it undoes the removal of their site.
# Needs: CLIENTS LIVE_FILES NL SITE STORE WANTED
# Leaves: EPOCH FOUND LIVE_NEW PENDING SOURCE

# The folder that clients are read from: their own, or the drafts of a conversion (convert.sh).
SOURCE=
FOUND='' EPOCH=''
# Names of live files that the change creates.
LIVE_NEW=

each_client() { for path in "$CLIENTS"/*.map; do [ ! -f "$path" ] || "$1" "$path"; done; }

name_of() { name=${1##*/}; printf '%s' "${name%.map}"; }

name_line() { name_of "$1"; echo; }

# Revocations and suspensions whose client file could not be changed: the next change completes them.
PENDING=$STORE/$SITE/pending

# is_revoked CLIENT: was it revoked while its file could not be removed?
is_revoked() { grep -qsx revoke_client "$PENDING/$1"; }

# clients_awk PROGRAM OPERAND…: runs PROGRAM over OPERANDs (stdin is `-`), then over the client files.
clients_awk() {
  odd='' files='' from=${SOURCE:-$CLIENTS}
  for path in "$from"/*.map; do
    if [ -f "$path" ]; then files=yes; else odd=yes; fi
  done
  if [ -z "$odd" ]; then
    lines_awk "$@" "$from"/*.map
  elif [ -z "$files" ]; then
    lines_awk "$@"
  else
    for path in "$from"/*.map; do [ ! -f "$path" ] || set -- "$@" "$path"; done
    lines_awk "$@"
  fi
}

# live_names: names of the live files.
live_names() {
  for path in "$LIVE_FILES"/*; do
    case ${path##*/} in *[!A-Za-z0-9._-]* | \*) ;; *) printf '%s\n' "${path##*/}" ;; esac
  done
}

# scan_clients: leaves in FOUND a line for each of: `alive`, a token is live; `old`, a line has an earlier release's
# format; `lost NAME`, a live file is missing. Leaves the time in EPOCH.
scan_clients() {
  FOUND='' EPOCH=
  [ -n "$CLIENTS" ] || return 0
  EPOCH=$(date +%s)
  FOUND=$NL$(live_names | clients_awk '
    live { there[$0] = 1; next }
    !read_key($0) { next }
    form == "old" { old = 1; next }
    state == "suspended" || end != "-" && end <= now { next }
    name "." generation in there { alive = 1; next }
    { print "lost " name "." generation }
    END { if (alive) print "alive"; if (old) print "old" }' now="$EPOCH" live=1 - live=0)$NL
}

# is_found WORD: did scan_clients find it?
is_found() { case $FOUND in *"$NL$1$NL"*) ;; *) return 1 ;; esac; }

# repair_client TEXT: comments out the lines of client files that nginx rejects in TEXT; nothing is lost. Fails if there is
# nothing left to comment out.
repair_client() {
  [ -n "$CLIENTS" ] || return 1
  strays='' fixed=''
  case $1 in *"conflicting parameter "*" in $CLIENTS/"*) strays=$NL$(stray_files)$NL ;; esac
  for path in "$CLIENTS"/*.map; do
    case "$1$strays" in *" in $path:"* | *"$NL${path##*/}$NL"*) ;; *) continue ;; esac
    case $WANTED in *"|$path|"*) continue ;; esac
    if [ ! -f "$path" ] || [ -L "$path" ]; then continue; fi
    ! repaired "$path" | cmp -s - "${SOURCE:-$CLIENTS}/${path##*/}" || continue
    case ${path##*/} in *[!A-Za-z0-9._-]*) refuse target "nginx reads $path, which is not the file of a client" ;; esac
    note "$path is damaged: invalid lines were turned into comments; the client $(name_of "$path") may need a new token"
    add client "$path" 600 "repaired $path"
    fixed=yes
  done
  [ -n "$fixed" ]
}

# stray_files: the names of files that contain another client's lines, such as manual copies.
stray_files() {
  clients_awk 'FNR == 1 { file = client_of(FILENAME) }
read_key($0) && name != file && !(file in said) { said[file] = 1; print file ".map" }'
}

# repaired FILE: without invalid lines, those of other clients, and those whose key occurred before.
repaired() {
  own=$(name_of "$1")
  sed '/^#/b
/^$/b
/^"=[^"]*" "[^"]* [a-z]*:[^" ]*";$/b
/^"~[^"]*" [a-z]*:[^" ;]*;$/b
s/^/# damaged: /' "${SOURCE:-$CLIENTS}/$own.map" | clients_awk '
mine { text[++count] = $0; next }
FNR == 1 { file = client_of(FILENAME); past = past || file == own }
!past && read_key($0) && name == file && form == "hashed" { taken[key_of(token)] = 1 }
END {
  for (i = 1; i <= count; i++) {
    if (read_key(text[i])) {
      if (name != own || form == "hashed" && key_of(token) in taken) text[i] = "# damaged: " text[i]
      else if (form == "hashed") taken[key_of(token)] = 1
    }
    print text[i]
  }
}' own="$own" mine=1 - mine=0
}
