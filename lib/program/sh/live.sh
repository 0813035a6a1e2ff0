# shellcheck shell=sh
# Which tokens are live: one empty file each, which every worker checks for every request. A rollback removes the files
# that the change created. A token ends once the change is verified, and no recovery restores it. Revocations and
# suspensions begin with that.
# Needs: CLIENT CLIENTS DRY FIRST_ACT JOURNAL LIVE_FILES LIVE_NEW NEXT NL OLD PENDING RUN SOURCE VERB
# Leaves: ENDING UNSEEN WANTED WHY

# Names of live files that the commit removes.
ENDING=
# Does this change's release keep the clients that it removes?
KEEPING=
# Does this change complete pending revocations and suspensions?
READY=

# end_client: from here on, no worker accepts a token of CLIENT. If the run ends early, the fact reports that, and the
# file in PENDING makes the next change complete the rest.
end_client() {
  find_clients_folder
  [ -e "$CLIENTS/$CLIENT.map" ] && [ -d "$LIVE_FILES" ] || return 0
  mkdir -p "$PENDING" || refuse store "cannot write below $PENDING"
  rm -f "$LIVE_FILES/$CLIENT".* || refuse write "cannot remove the files of $CLIENT in $LIVE_FILES"
  say fact ended yes
  printf '%s\n' "$VERB" >"$PENDING/$CLIENT" || refuse store "cannot write below $PENDING"
  sync_files "$LIVE_FILES" "$PENDING/$CLIENT"
}

# decide: once its journal has begun, a change that ends tokens first can only go forward: describes now what the commit
# would describe. (A change that also installs the current gate can still be rolled back, and `pending` stays.)
decide() {
  [ "$FIRST_ACT" = end_client ] && is_all_clients || return 0
  WHY="cannot write below $JOURNAL.new"
  name_release "$RUN"
  describe "$JOURNAL.new" "$VERB" && printf '%s\n' "$NEXT" >"$JOURNAL.new/name" &&
    true >"$JOURNAL.new/forward" && sync_files "$JOURNAL.new/name" "$JOURNAL.new/state"
}

is_all_clients() { each_wanted is_client; }

is_client() { [ "$1" = client ]; }

# want_pending: completes what earlier runs could not.
want_pending() {
  for pending in "$PENDING"/*; do
    path=$CLIENTS/${pending##*/}.map
    if [ ! -e "$pending" ]; then
      continue
    elif [ ! -e "$path" ]; then
      [ -n "$DRY" ] || rm -f "$pending"
    elif [ "${pending##*/}" = "$CLIENT" ]; then
      continue
    elif is_revoked "${pending##*/}"; then
      WANTED="${WANTED}client|$path|600|-|gone$NL"
    else
      add client "$path" 600 "suspended ${SOURCE:-$CLIENTS}/${pending##*/}.map"
    fi
  done
}

# suspended FILE: a client file with its tokens suspended. (A token may contain `:-;`, but no quote.)
suspended() {
  sed 's/^\("=[^"]*" "[^"]*:[^":]*\):-\(";\)/\1:suspended\2/
s/^\("~[^"]*" [^";]*:[^":;]*\):-;/\1:suspended;/' "$1"
}

# forget_pending: CLIENT is to be live again.
forget_pending() { [ -n "$DRY" ] || rm -f "$PENDING/$CLIENT"; }

drop_pending() { [ -z "$READY" ] || [ ! -d "$PENDING" ] || rm -rf "$PENDING"; }

# missing_live: those in LIVE_NEW that do not exist yet.
missing_live() { for fresh in $LIVE_NEW; do [ -e "$LIVE_FILES/$fresh" ] || printf '%s\n' "$LIVE_FILES/$fresh"; done; }

has_all_live() { for fresh in $LIVE_NEW; do [ -e "$LIVE_FILES/$fresh" ] || return 1; done; }

# is_open: can everybody enter the folder of live files? (A deploy repairs that.)
is_open() { case $VERB:$CLIENTS in apply:/* | plan:/*) is_passable "$LIVE_FILES" ;; esac; }

# stage_live: creates the new files in place, because a moved file would keep the SELinux label of its origin.
stage_live() {
  WHY="cannot write in $LIVE_FILES"
  is_open || { note "$LIVE_FILES was closed to nginx's workers: it is opened" && chmod 711 "$LIVE_FILES"; } || return 1
  ! has_all_live || return 0
  missing_live >"$JOURNAL.new/fresh" && keep_directory "$LIVE_FILES" 711 && sync_files "$JOURNAL.new/fresh" || return 1
  while IFS= read -r path; do true >"$path" || return 1; done <"$JOURNAL.new/fresh"
}

# keep_removed: client files that are removed with their site stay in the release history, for root only, so that a
# rollback of the removal can restore them.
keep_removed() {
  [ -n "$KEEPING" ] || return 0
  mkdir -p "$JOURNAL/kept" && printf '%s\n' "$ENDING" >"$JOURNAL/kept/live" && each_wanted keep_client
}

# keep_client ROLE PATH: skips copies by editors, and revoked clients.
keep_client() {
  name=${2##*/}
  case $1:$name in client:.*) return 0 ;; client:*.map) ;; *) return 0 ;; esac
  stage_names "$2"
  [ -f "$OLD" ] && ! is_revoked "${name%.map}" || return 0
  cp "$OLD" "$JOURNAL/kept/$name" && chmod 600 "$JOURNAL/kept/$name"
}

# find_unseen: fails, leaving the path in UNSEEN, if nginx's workers cannot see a new live file: the gate would reject
# everybody.
find_unseen() {
  [ -s "$JOURNAL.new/fresh" ] && read -r path <"$JOURNAL.new/fresh" || return 0
  ! is_unseen "$path" || return 1
  UNSEEN=
}

# end_tokens: the first act of the commit. From here on, the change can only go forward.
end_tokens() {
  for ending in $ENDING; do [ ! -e "$LIVE_FILES/$ending" ] || printf '%s\n' "$LIVE_FILES/$ending"; done >"$JOURNAL/ends" &&
    printf '%s\n' "$1" >"$JOURNAL/name" && sync_files "$JOURNAL/ends" "$JOURNAL/name" || return 1
  [ ! -s "$JOURNAL/ends" ] || xargs rm -f <"$JOURNAL/ends" || is_decided "$JOURNAL"
}
