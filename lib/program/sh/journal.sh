# shellcheck shell=sh
# The journal of one change: what was there before, until the change is proven.
#
#   journal.new   being prepared and tested; nothing is changed yet
#   journal       begun; whoever finds it rolls everything back
#   releases/N    committed: the same directory, renamed, which is the one moment of the commit
#
# `before` holds a line a target: KIND PATH [LINK TARGET]. What stood at PATH is kept beside it by a hard link,
# so that putting it back needs no space and keeps owner, mode and times. A `directory` was made by the change, one that
# is `emptied` by it goes once it is done.

# After a recovery that nginx, broken by then, could not prove.
RELOAD_DUE=$STORE/reload-due

# beside PATH: leaves in NEW and OLD the names of what is written and what is kept beside PATH.
beside() { NEW=${1%/*}/.${1##*/}.gatepost-new OLD=${1%/*}/.${1##*/}.gatepost-old; }

# write_file PATH FUNCTION: what FUNCTION prints. The shell does not say why a write failed; cat does.
write_file() { $2 2>/dev/null >"$1" || $2 | cat >"$1"; }

# put_link PATH TARGET
put_link() { beside "$1" && ln -sfn "$2" "$NEW" && mv -fT "$NEW" "$1"; }

# keep PATH: writes down what PATH is now, and keeps it.
keep() {
  beside "$1"
  if [ -L "$1" ]; then
    echo "link $1 $(readlink "$1")"
  elif [ -e "$1" ]; then
    echo "file $1" || return 1
    ln -f "$1" "$OLD" 2>/dev/null || cp -p "$1" "$OLD"
  else
    echo "absent $1"
  fi >>"$JOURNAL.new/before"
}

# keep_directory PATH: makes a directory of ours where it is missing.
keep_directory() {
  [ ! -d "$1" ] || return 0
  echo "directory $1" >>"$JOURNAL.new/before" && mkdir -m "$2" "$1"
}

# put_back JOURNAL: every target as it was; safe to repeat.
put_back() {
  failed=
  while read -r kind path target; do
    beside "$path"
    case $kind in
      file) [ ! -e "$OLD" ] || mv -fT "$OLD" "$path" || cmp -s "$OLD" "$path" ;;
      absent) rm -f "$path" ;;
      link) [ "$(readlink "$path")" = "$target" ] || put_link "$path" "$target" ;;
    esac || failed=$path
  done <"$1/before"
  [ -z "$failed" ] && clean_up "$1" && remove_directories "$1"
}

# clean_up JOURNAL: drops what was written or kept beside the targets.
clean_up() {
  leavings=
  while read -r kind path target; do
    beside "$path"
    leavings="$leavings $NEW $OLD"
  done <"$1/before"
  # shellcheck disable=SC2086 # our own paths, none with a blank
  rm -f $leavings
}

# remove_directories JOURNAL: those that the change had made, unless somebody uses them.
remove_directories() {
  while read -r kind path target; do
    [ "$kind" != directory ] || rmdir "$path" 2>/dev/null || :
  done <"$1/before"
}

# abandon JOURNAL.NEW: nothing was changed yet; nothing of the preparation stays.
abandon() {
  [ -e "$1" ] || return 0
  [ ! -e "$1/before" ] || { clean_up "$1" && remove_directories "$1"; }
  rm -rf "$1"
}

# restore JOURNAL: rolls back, and proves that nginx serves what it served. It always reloads: anybody may have reloaded
# nginx while the new files were in place.
restore() {
  step restore
  put_back "$1" || restore_failed "$1" "cannot put back $failed"
  if [ -z "${SICK:-}" ]; then
    TEST=$(try_nginx -t) || restore_failed "$1" "$TEST"
    if find_master; then
      reload_nginx || restore_failed "$1" "$WHY"
    else
      note "nginx is not running: it was stopped during the change"
    fi
  fi
  drop_journal "$1"
}

drop_journal() { rm -rf "$1.done" && mv -fT "$1" "$1.done" && rm -rf "$1.done"; }

restore_failed() {
  say error restore
  say_text text "$2"
  while read -r kind path target; do
    case $kind in
      file) beside "$path" && say todo "test ! -e $OLD || mv -fT $OLD $path" ;;
      absent) say todo "rm -f $path" ;;
      link) say todo "ln -sfn $target $path" ;;
    esac
  done <"$1/before"
  while read -r kind path target; do
    [ "$kind" != directory ] || say todo "test ! -d $path || rmdir --ignore-fail-on-non-empty $path"
  done <"$1/before"
  say todo "nginx -t && nginx -s reload"
  finish restore-failed 5
}

# recover: what runs before this one left behind, for whatever site.
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

# tidy RELEASE: a committed journal keeps its record only; a folder that was emptied goes.
tidy() {
  clean_up "$1"
  while read -r kind path target; do
    [ "$kind" != emptied ] || rmdir "$path" 2>/dev/null || :
  done <"$1/before"
  rm -f "$1/before" "$1/reload" "$1/run" "$1/sick"
}

# recover_one JOURNAL: as restore does, but here nginx may have been stopped or broken by others since, or reloaded in
# the middle of the change. What cannot be proven now is proven by the next reload.
recover_one() {
  note "an earlier run ($(cat "$1/run" 2>/dev/null)) did not finish; what it had changed is put back"
  put_back "$1" || restore_failed "$1" "cannot put back $failed"
  if survey; then
    ! find_master || reload_nginx || restore_failed "$1" "$WHY"
  else
    true >"$RELOAD_DUE"
  fi
  drop_journal "$1"
}
