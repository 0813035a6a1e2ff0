# shellcheck shell=sh
# The journal of one change: the previous state, until the change is committed.
#
#   journal.new   being prepared and tested; nothing is changed yet
#   journal       begun; a later run that finds it rolls everything back
#   releases/N    committed: the same directory, renamed; this rename is the commit
#
# `before` has one line per target: KIND PATH [LINK TARGET]. (`clients` is the folder of all client files.) The file at
# PATH has a hard link next to it, so that restoring it needs no space and keeps owner, mode and times. A `directory`
# was created by the change; one that is `emptied` is removed after the change. `after` has the new content of each
# target (SHA256  STAGED, or link STAGED TARGET): a target that matches neither was edited by hand since, and stays.
# (Earlier versions had no `after`.)
# Needs: NGINX NL RUN SITE STORE WHY
# Leaves: BROKEN FAILED JOURNAL NEW OLD RELOAD_DUE TEST

JOURNAL=$STORE/$SITE/journal
# Set after a recovery that could not be verified because nginx was broken.
RELOAD_DUE=$STORE/reload-due
# Did nginx reject its configuration before this change? Then no test can verify a rollback.
BROKEN=''

# stage_names PATH: leaves in NEW and OLD the names of the staged file and of the backup next to PATH.
stage_names() { NEW=${1%/*}/.${1##*/}.gatepost-new OLD=${1%/*}/.${1##*/}.gatepost-old; }

# write_file PATH FUNCTION: writes FUNCTION's output. The shell does not report why a write failed; cat does.
write_file() { $2 2>/dev/null >"$1" || $2 | cat >"$1"; }

# sync_files FILE…: flushes these to the disk, or everything if `sync` takes no file names.
sync_files() { sync "$@" 2>/dev/null || sync; }

# put_link PATH TARGET
put_link() { stage_names "$1" && ln -sfn "$2" "$NEW" && mv -fT "$NEW" "$1"; }

# keep PATH: backs it up: records it in the journal, and hard-links the file under another name.
keep() {
  stage_names "$1"
  if [ -L "$1" ]; then
    echo "link $1 $(readlink "$1")"
  elif [ -e "$1" ]; then
    echo "file $1" || return 1
    ln -f "$1" "$OLD" 2>/dev/null || cp -p "$1" "$OLD"
  else
    echo "absent $1"
  fi >>"$JOURNAL.new/before"
}

# keep_directory PATH: creates one of our directories if it is missing.
keep_directory() {
  [ ! -d "$1" ] || return 0
  echo "directory $1" >>"$JOURNAL.new/before" && mkdir -m "$2" "$1"
}

# restore_files JOURNAL: restores every target; can be repeated. Files that were edited since stay, and are listed in
# EDITED; those that cannot be restored are left in FAILED.
restore_files() {
  FAILED='' EDITED='' AFTER=''
  [ ! -e "$1/after" ] || AFTER=$NL$(cat "$1/after")$NL
  while read -r kind path target; do
    stage_names "$path"
    case $kind in
      clients) put_back_clients "$path" || FAILED=$path ;;
      file | link | absent)
        # If its folder is gone too, there is nothing to restore.
        [ -d "${path%/*}/" ] || continue
        if is_edited; then EDITED="$EDITED$path$NL"; else restore_file; fi || FAILED=$path
        ;;
    esac
  done <"$1/before"
  [ -z "$FAILED" ]
}

restore_file() {
  case $kind in
    file) [ ! -e "$OLD" ] || mv -fT "$OLD" "$path" || cmp -s "$OLD" "$path" ;;
    absent) rm -f "$path" ;;
    link) [ "$(readlink "$path")" = "$target" ] || put_link "$path" "$target" ;;
  esac
}

# is_edited: does `path` have neither its previous content nor that of the change?
is_edited() {
  [ -n "$AFTER" ] && ! is_before || return 1
  if [ -L "$path" ]; then
    entry="link $NEW $(readlink "$path")"
  elif [ -f "$path" ]; then
    sum=$(sha256sum <"$path")
    entry="${sum%% *}  $NEW"
  elif [ -e "$path" ]; then
    return 0
  else
    # The change removes it, unless a file was staged for it.
    case $AFTER in *"  $NEW$NL"* | *"link $NEW "*) return 0 ;; *) return 1 ;; esac
  fi
  case $AFTER in *"$NL$entry$NL"*) return 1 ;; esac
}

is_before() {
  case $kind in
    file) [ ! -e "$OLD" ] || cmp -s "$OLD" "$path" ;;
    absent) [ ! -e "$path" ] && [ ! -L "$path" ] ;;
    link) [ "$(readlink "$path")" = "$target" ] ;;
  esac
}

# set_edits_aside JOURNAL: nginx rejects the edited files together with the restored ones. So that nginx can start, this
# moves the edited files into the store, and restores their previous content, too.
set_edits_aside() {
  [ -n "$EDITED" ] || return 1
  aside=${1%/*}/edited-$RUN
  mkdir -p "$aside" || return 1
  while read -r kind path target; do
    case $NL$EDITED in *"$NL$path$NL"*) ;; *) continue ;; esac
    stage_names "$path"
    [ ! -f "$path" ] || [ -L "$path" ] || cp -p "$path" "$aside" || return 1
    restore_file || return 1
  done <"$1/before"
  note "nginx rejects what was edited by hand beside the restored files, so that is restored, too; edited files are kept in $aside"
  rmdir "$aside" 2>/dev/null || :
}

# put_back_clients FOLDER: restores its files from the backup.
put_back_clients() {
  for file in "$OLD"/*.map; do
    if [ -e "$file" ]; then mv -f "$file" "$1/" || return 1; fi
  done
}

# drop_fresh JOURNAL: removes the live files that the change had created (live.sh).
drop_fresh() { [ ! -s "$1/fresh" ] || xargs rm -f <"$1/fresh"; }

# clean_up JOURNAL: removes staged files and backups next to the targets.
clean_up() {
  journal=$1
  set --
  while read -r _ path _; do
    stage_names "$path"
    set -- "$@" "$NEW" "$OLD"
  done <"$journal/before"
  rm -rf "$@"
}

# remove_directories JOURNAL: removes those that the change had created, unless they are in use.
remove_directories() {
  while read -r kind path _; do
    [ "$kind" != directory ] || rmdir "$path" 2>/dev/null || :
  done <"$1/before"
}

# abandon JOURNAL.NEW: nothing was changed yet; removes what was prepared.
abandon() {
  [ -e "$1" ] || return 0
  [ ! -e "$1/before" ] || { drop_fresh "$1" && clean_up "$1" && remove_directories "$1"; }
  rm -rf "$1"
}

# say_edits JOURNAL: reports edited files that stay as drift.
say_edits() {
  while IFS= read -r path; do
    [ -n "$path" ] || continue
    how=changed
    [ -e "$path" ] || how=removed
    note "$path was $how by hand since that run began"
    case $1 in "$STORE/$SITE"/*) say drift "$path" "$how" ;; esac
  done <<END
$EDITED
END
}

# restore JOURNAL: rolls back, and verifies that nginx serves the previous state. Always reloads: someone else may have
# reloaded nginx while the new files were in place.
restore() {
  step restore
  restore_files "$1" || restore_failed "$1" "cannot restore $FAILED"
  say_edits "$1"
  if [ -z "$BROKEN" ]; then
    TEST=$(try_nginx -t) || { set_edits_aside "$1" && TEST=$(try_nginx -t); } || restore_failed "$1" "$TEST"
    prove_restored "$1"
  fi
  drop_journal "$1"
}

# prove_restored JOURNAL: nginx serves the restored files; if somebody stopped it, it will when it starts.
prove_restored() {
  # It waits for an nginx that is being restarted, which may have read the new files.
  ! reload_nginx || return 0
  is_stopped || restore_failed "$1" "$WHY"
  true >"$RELOAD_DUE"
  note "nginx was stopped during the change; it serves the previous configuration when it is started again"
}

# drop_journal JOURNAL: removes a settled journal.
drop_journal() {
  # Tokens that the change had made live end once nothing else knows them.
  drop_fresh "$1"
  clean_up "$1"
  remove_directories "$1"
  rm -rf "$1.done" && mv -fT "$1" "$1.done" && rm -rf "$1.done"
}

restore_failed() {
  say_error restore "$2"
  while read -r kind path target; do
    case $NL$EDITED in *"$NL$path$NL"*) continue ;; esac
    case $kind in
      file) stage_names "$path" && say todo "test ! -e $OLD || mv -fT $OLD $path" ;;
      clients) stage_names "$path" && say todo "test ! -e $OLD || mv -f $OLD/*.map $path/" ;;
      absent) say todo "rm -f $path" ;;
      link) say todo "ln -sfn $target $path" ;;
    esac
  done <"$1/before"
  if [ -s "$1/fresh" ]; then
    while IFS= read -r path; do say todo "rm -f $path"; done <"$1/fresh"
  fi
  while read -r kind path _; do
    [ "$kind" != directory ] || say todo "test ! -d $path || rmdir --ignore-fail-on-non-empty $path"
  done <"$1/before"
  say todo "$NGINX -t && $NGINX -s reload"
  finish restore-failed 5
}

# recover: rolls back or completes changes that earlier runs left unfinished, for any site.
recover() {
  for site in "$STORE"/*/releases; do
    site=${site%/releases}
    [ ! -e "$site/journal.done" ] || rm -rf "$site/journal.done"
    abandon "$site/journal.new"
    for release in "$site"/releases/*/before; do
      [ ! -e "$release" ] || tidy "${release%/before}"
    done
    [ ! -d "$site/journal" ] || recover_one "$site/journal"
  done
  [ ! -e "$RELOAD_DUE" ] || ! survey || ! find_master || reload_nginx || refuse reload "$WHY"
}

# tidy RELEASE: a committed journal keeps only its record; an emptied directory is removed. (`reload` and `sick` are
# from earlier versions.)
tidy() {
  clean_up "$1"
  while read -r kind path _; do
    [ "$kind" != emptied ] || rmdir "$path" 2>/dev/null || :
  done <"$1/before"
  rm -rf "$1/before" "$1/after" "$1/reload" "$1/run" "$1/sick" "$1/fresh" "$1/ends" "$1/name" "$1/forward" "$1/clients"
}

# is_decided JOURNAL: can the change only be completed, not rolled back? A change that revokes begins by ending tokens
# (`forward`); every other one ends them as the first act of its commit (live.sh).
is_decided() { [ -e "$1/forward" ] || has_ended "$1"; }

has_ended() {
  [ -s "$1/name" ] && [ -s "$1/ends" ] || return 1
  while IFS= read -r path; do [ -e "$path" ] || return 0; done <"$1/ends"
  return 1
}

# go_forward JOURNAL: completes a decided change.
go_forward() {
  read -r release <"$1/name" || return 1
  [ ! -e "$1/forward" ] || put_forward "$1" || return 1
  [ ! -s "$1/ends" ] || xargs rm -f <"$1/ends" || return 1
  mv -fT "$1" "$release" && tidy "$release"
}

# put_forward JOURNAL: gives every target its new state.
put_forward() {
  AFTER=$NL$(cat "$1/after")$NL
  while read -r kind path _; do
    case $kind in file | link | absent) ;; *) continue ;; esac
    stage_names "$path"
    if [ -e "$NEW" ]; then
      mv -fT "$NEW" "$path" || return 1
    else
      # Nothing was staged for targets that the change removes.
      case $AFTER in *"  $NEW$NL"*) ;; *) rm -f "$path" || return 1 ;; esac
    fi
  done <"$1/before"
}

# is_sound JOURNAL: is its record readable?
is_sound() {
  [ -f "$1/before" ] || return 1
  while read -r kind path _; do
    case $kind:$path in file:/* | clients:/* | link:/* | absent:/* | directory:/* | emptied:/*) ;; *) return 1 ;; esac
  done <"$1/before"
}

# quarantine JOURNAL: moves away a damaged one. Its previous state is unknown, so the files stay.
quarantine() {
  note "the journal of an earlier run is damaged: moved to ${1%/*}/damaged-$RUN; the files are left as they are"
  mv -fT "$1" "${1%/*}/damaged-$RUN" || restore_failed "$1" "cannot move $1"
}

# recover_one JOURNAL: like restore, but nginx may since have been stopped or broken by others, or reloaded in the
# middle of the change. If that cannot be verified now, the next reload does.
recover_one() {
  is_sound "$1" || { quarantine "$1"; return; }
  if is_decided "$1"; then
    note "an earlier run ($(cat "$1/run" 2>/dev/null)) did not finish; its changes were completed"
    go_forward "$1" || refuse write "cannot complete $1"
    if survey && find_master; then reload_nginx || true >"$RELOAD_DUE"; else true >"$RELOAD_DUE"; fi
    return
  fi
  note "an earlier run ($(cat "$1/run" 2>/dev/null)) did not finish; its changes were rolled back"
  restore_files "$1" || restore_failed "$1" "cannot restore $FAILED"
  say_edits "$1"
  if survey || { set_edits_aside "$1" && survey; }; then
    ! find_master || prove_restored "$1"
  else
    true >"$RELOAD_DUE"
  fi
  drop_journal "$1"
}
