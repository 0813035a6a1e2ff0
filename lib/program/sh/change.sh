# shellcheck shell=sh
# One change, all or nothing: examine, test, prepare, swap, reload, commit; or roll everything back.
# Needs: ACCEPTED CHAIN CONVERTING DRIFT JOURNAL KEY KIND LAST LINK LINK_DIR NEXT NL REHEARSAL RUN SAID SHARED SITE STORE
# Needs: TEST UNSEEN VERB VERSION WHO
# Leaves: BROKEN CLEANUP GENERATED LOGS WANTED WHY WRITTEN

LOGS=/var/log/nginx # of our vhosts; nginx's own may be elsewhere
BEGUN='' DONE='' EMPTIED='' GENERATED=''

# examine: can this host take the change, and what would it change? Read-only.
examine() {
  survey || :
  check_version
  check_layout
  find_releases
  say_last
  case $VERB in apply | plan | rollback) ready_clients ;; esac
  site_files
  find_drift
  check_nginx
  say_drift
  [ "$VERB" = remove ] || say_selinux
}

# check_version: older versions lack directives that the vhosts use.
check_version() {
  [ -z "$VERSION" ] || [ "$VERB" = remove ] || at_least 1 15 6 || refuse nginx-old "nginx $VERSION is older than 1.15.6"
}

# check_nginx: is nginx ready for a change? If it rejects its current configuration, only a test of the new one can tell
# whether one of our files is to blame: nginx does not report missing files by name. If none of our files changes, none
# is to blame.
check_nginx() {
  if [ -z "$ACCEPTED" ]; then
    repair_client "$SAID" || :
    ! all_same || refuse sick "$SAID"
    BROKEN=yes
  fi
  find_master || refuse nginx-stopped "$WHY"
  await_old_master || refuse upgrading "$WHY"
  each_wanted say_file
}

say_file() { say file "$2" "$5"; }

# is_blamed ROLE PATH MODE CONTENT-FUNCTION STATE: does TEST name a file of this change, or the certificate in our
# vhost? (nginx names a vhost by its link.)
is_blamed() {
  [ "$5" != same ] || return 0
  case $TEST in
    *" in $2:"*) ;;
    *" in ${LINK_DIR:-}/${2##*/}:"* | *" in ${LINK:-}:"* | *"\"$CHAIN\""* | *"\"$KEY\""*) [ "$1" = vhost ] || return 0 ;;
    *) return 0 ;;
  esac
  BLAMED=$2
}

# up_to_date: is everything here as wanted, and unmodified since our last change?
up_to_date() {
  all_same && [ -n "$LAST" ] && [ -z "$DRIFT" ] || return 1
  kind_of "$LAST"
  [ "$KIND" != found ]
}

# all_same: is every file as wanted?
all_same() { [ -z "$CONVERTING" ] && has_all_live && is_open && each_wanted is_same; }

is_same() { [ "$5" = same ]; }

# prepare: stages the new files, and records the current state in the journal.
prepare() {
  WHY="cannot write below $STORE/$SITE"
  { [ -d "$JOURNAL.new/files" ] || mkdir -p "$JOURNAL.new/files"; } && echo "$RUN of $WHO" >"$JOURNAL.new/run" || return 1
  for path in $EMPTIED; do echo "emptied $path"; done >"$JOURNAL.new/before" && true >"$JOURNAL.new/after" || return 1
  each_wanted make_room && keep_clients && each_wanted keep_target && each_wanted stage && stage_clients && stage_live || return 1
  CLEANUP=
  find_unseen && decide || return 1
  WHY="cannot begin the journal $JOURNAL"
  note_staged && flush "$JOURNAL.new/before" "$JOURNAL.new/after" && mv -fT "$JOURNAL.new" "$JOURNAL" &&
    sync_files "$STORE/$SITE"
}

# note_staged: records the new content of each target. (A link was recorded when it was created.)
note_staged() {
  set --
  for file in $WRITTEN; do set -- "$@" "$file"; done
  [ $# -eq 0 ] || sha256sum "$@" >>"$JOURNAL.new/after"
}

make_room() {
  WHY="cannot make the directory of $2"
  case $1 in
    client) keep_directory "${2%/*}" 700 ;;
    vhost) keep_directory "${2%/*}" 755 && keep_directory "$LOGS" 755 ;;
    *) keep_directory "${2%/*}" 755 ;;
  esac
}

keep_target() {
  WHY="cannot back up $2"
  [ "$5" = same ] || keep "$2"
}

# change: from here on, the change is either applied or rolled back.
change() {
  step test
  try_change
  step write
  WHY="cannot back up the current state below $STORE/$SITE"
  if ! record_found || ! prepare; then
    abandon "$JOURNAL.new"
    [ -z "$UNSEEN" ] || refuse live "nginx's workers cannot see $UNSEEN"
    refuse write "$WHY"
  fi
  see_files
  if ! each_wanted is_untouched; then
    drop_journal "$JOURNAL"
    refuse edited "$WHY"
  fi
  BEGUN=yes
  WRITTEN=
  { swap_clients && each_wanted swap; } || roll_back write "$WHY"
  [ "$REHEARSAL" = passed ] || test_in_place || refuse_result
  [ -z "$BROKEN" ] || note "nginx rejected its configuration because of a file of this site; this change repairs it"
  step reload
  make_live
  step record
  # Before the commit: even if the connection or the program ends with it, the token is already known.
  [ -z "$GENERATED" ] || say generated "$GENERATED"
  commit || roll_back write "cannot record the release below $STORE/$SITE$(why_not)"
}

# make_live: every nginx that accepts connections serves the new files, or the change is rolled back.
make_live() {
  if ! reload_nginx; then
    ! is_stopped || roll_back nginx-stopped "$WHY"
    roll_back reload "$WHY"
  fi
  await_old_master || roll_back upgrading "$WHY"
}

# try_change: tests the configuration before any file is in place. Works around two kinds of failure.
try_change() {
  rehearse
  while [ "$REHEARSAL" = refused ]; do
    leave_out_shared || { [ -n "$BROKEN" ] && repair_client "$TEST"; } || refuse_result
    rehearse
  done
}

# leave_out_shared: does this nginx build reject a second $connection_upgrade? Then the change is made without ours,
# once.
leave_out_shared() {
  case $TEST in *duplicate*connection_upgrade*) ;; *) return 1 ;; esac
  case $WANTED in *"shared|$SHARED|"*) ;; *) return 1 ;; esac
  note "another file defines \$connection_upgrade: deployed without $SHARED"
  unwant "$SHARED"
  [ ! -e "$SHARED" ] || WANTED="${WANTED}gone|$SHARED|644|-|gone$NL"
}

unwant() { WANTED=$(printf '%s' "$WANTED" | grep -vF "|$1|")$NL; }

# test_in_place: if the configuration could not be tested before.
test_in_place() {
  step test
  test_nginx && return
  leave_out_shared || return 1
  rm -f "$SHARED"
  test_nginx
}

# refuse_result: nginx rejects the new configuration, or rejects the current one for a reason that is not ours.
refuse_result() {
  BLAMED='' code=test
  each_wanted is_blamed
  [ -z "$BROKEN" ] || [ -n "$BLAMED" ] || code=sick
  [ -z "$BEGUN" ] || roll_back "$code" "$TEST"
  abandon "$JOURNAL.new"
  [ "$code" = test ] || refuse sick "$TEST"
  say_error test "$TEST"
  finish rolled-back 1
}

# why_not: on a full disk, the shell reports only "I/O error"; cat reports the reason.
why_not() {
  words=$(pad_block 2>/dev/null | cat 2>&1 >"$JOURNAL/page")
  [ -z "$words" ] || printf ': %s' "$words"
}

# flush FILE…: writes staged files, or the folders of swapped ones, and these files to the disk.
flush() {
  for file in $WRITTEN; do set -- "$@" "$file"; done
  sync_files "$@"
}

# commit: one rename turns the journal into a release; the backups are dropped after it.
commit() {
  describe "$JOURNAL" "$VERB" && keep_removed || return 1
  name_release "$RUN"
  flush "$JOURNAL/state" && end_tokens "$NEXT" && mv -fT "$JOURNAL" "$NEXT" || return 1
  sync_files "$STORE/$SITE" "${NEXT%/*}"
  BEGUN='' DONE=yes
  tidy "$NEXT"
  drop_pending
  prune_releases
}

# roll_back CODE TEXT: reports what failed, restores everything and verifies it.
roll_back() {
  trap '' TERM INT
  BEGUN=
  ! has_ended "$JOURNAL" || { go_forward "$JOURNAL" && finish applied 0; }
  say_error "$1" "$2"
  restore "$JOURNAL"
  finish rolled-back 1
}

# ended: however the program ends early (a signal, a bug), it leaves the old state or the new one, never a mix.
ended() {
  [ -z "$BEGUN" ] || [ ! -d "$JOURNAL" ] || roll_back ended "the program was terminated before it finished"
  [ -z "$BEGUN$DONE" ] || finish applied 0
  abandon "$JOURNAL.new"
  finish failed 1
}
