# shellcheck shell=sh
# Converts an earlier release's client files to the current format, in the same change as the gate that reads them, with
# unchanged tokens. Converts all of them in one process: one process per client would take minutes.
# Needs: CLIENT CLIENTS DRY FIRST_ACT FOUND JOURNAL LAST LIVE_FILES NEW NL OLD PENDING VERB
# Leaves: CLEANUP CONVERTING LIVE_NEW READY SOURCE WHY

CONVERTING=''
# The clients' folder that a removal kept, if this change restores it.
KEPT=''

# ready_clients: reads the clients, and prepares the parts of a change that concern all of them.
ready_clients() {
  [ -n "$CLIENTS" ] || return 0
  READY=yes
  [ "$VERB" != rollback ] || find_kept
  scan_clients
  ! is_found old || convert_clients
  [ -z "$KEPT" ] || { want_kept && return; }
  # Lost together with the whole folder, for example because a backup was restored. A single one was removed on purpose.
  [ -d "$LIVE_FILES" ] || find_lost
  want_pending
}

# find_lost: not for a client that was revoked or suspended, or is by this change: its token would work again in old workers.
find_lost() {
  lost=
  for name in $(printf '%s' "$FOUND" | sed -n 's/^lost //p'); do
    case $FIRST_ACT:${name%.*} in "end_client:$CLIENT") continue ;; esac
    [ -e "$PENDING/${name%.*}" ] || lost=$lost$name$NL
  done
  [ -z "$lost" ] || { note "$LIVE_FILES is missing: it is made again" && LIVE_NEW=$LIVE_NEW$lost; }
}

# find_kept: if the last change removed the site, its kept clients are read as if they were here.
find_kept() {
  [ -n "$LAST" ] && [ -d "$LAST/kept" ] || return 0
  for path in "$CLIENTS"/*.map; do [ ! -e "$path" ] || return 0; done
  KEPT=$LAST/kept SOURCE=$KEPT
}

# want_kept: restores them unchanged. A token that was not live when the site was removed stays inactive.
want_kept() {
  was_live=$NL$(cat "$KEPT/live")$NL
  for name in $(printf '%s' "$FOUND" | sed -n 's/^lost //p'); do
    case $was_live in *"$NL$name$NL"*) LIVE_NEW=$LIVE_NEW$name$NL ;; esac
  done
  for path in "$SOURCE"/*.map; do
    name=${path##*/} content="cat $path"
    case $NL$LIVE_NEW:$FOUND in
      *"$NL${name%.map}."*:*) ;;
      *"${NL}lost ${name%.map}."*) content="suspended $path" ;;
    esac
    add client "$CLIENTS/$name" 600 "$content"
  done
  SOURCE=
  note "restoring the clients that were removed with the site"
}

# convert_clients: leaves the converted files in SOURCE. A dry run only reports the conversion.
convert_clients() {
  note "the client files are of an earlier release: they are converted, and tokens stay as they are"
  CONVERTING=yes
  [ -z "$DRY" ] || return 0
  drafts=$JOURNAL.new/clients tokens=$JOURNAL.new/tokens CLEANUP=$JOURNAL.new
  mkdir -p "$drafts" "$tokens" || refuse write "cannot write below $JOURNAL.new"
  clients_awk 'read_key($0) && form == "old" { file = folder "/" ++n; printf "%s", token >file; close(file) }' folder="$tokens"
  LIVE_NEW=$(cd "$tokens" && sha256sum -- * | converted "$drafts")$NL
  rm -rf "$tokens"
  SOURCE=$drafts
}

# converted FOLDER: writes all files there; prints the names of the live files. Reads the checksums of the tokens, in
# order.
converted() {
  clients_awk 'prints { print_by[$2] = substr($1, 1, 12); next }
FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
{ files[++count] = file; texts[count] = $0; if (read_key($0) && form == "hashed") taken[key_of(token)] = 1 }
END {
  for (i = 1; i <= count; i++) {
    line = texts[i]
    if (read_key(line) && form == "old") {
      generate(print_by[++n]); line = key_line()
      print name "." generation
    }
    if (files[i] != last) { if (last != "") close(folder "/" last); last = files[i] }
    print line >(folder "/" last)
  }
}' folder="$1" prints=1 - prints=0
}

# keep_clients, stage_clients, swap_clients: like keep, stage and swap for one file.
keep_clients() {
  [ -n "$SOURCE" ] || return 0
  stage_names "$CLIENTS"
  WHY="cannot back up $CLIENTS"
  echo "clients $CLIENTS" >>"$JOURNAL.new/before" && mkdir "$OLD" "$NEW" || return 1
  ln -f "$CLIENTS"/*.map "$OLD" 2>/dev/null || cp -p "$CLIENTS"/*.map "$OLD"
}

stage_clients() {
  [ -n "$SOURCE" ] || return 0
  stage_names "$CLIENTS"
  WHY="cannot write $NEW"
  cp "$SOURCE"/*.map "$NEW" && rm -rf "$SOURCE"
}

swap_clients() {
  [ -n "$SOURCE" ] || return 0
  stage_names "$CLIENTS"
  WHY="cannot replace the files in $CLIENTS"
  mv -f "$NEW"/*.map "$CLIENTS" && rmdir "$NEW"
}
