# shellcheck shell=sh
# Verb rollback: the vhost and the maps of an earlier release. Releases contain no clients, except that of a removal:
# rolling that back restores them (convert.sh).
# Needs: CLIENTS ID LAST LINK MAP_DIR PLAN RECORDED RELEASES TO
# Leaves: ABOUT FOUND KIND SERVER_NAMES SHARED

rollback() {
  begin
  examine
  run_change up_to_date
}

# site_files: the files of release TO, or of the last one before the current deploy.
site_files() {
  if [ -n "$TO" ]; then
    find_release "$TO"
  else
    find_before
  fi
  id_of "$FOUND"
  ABOUT="to $ID"
  [ -s "$FOUND/state" ] || refuse no-files "the release $ID has no files; to remove the site, use remove.ts"
  note "restoring the release $ID"
  while read -r role path mode _; do
    case $role in shared | foreign) continue ;; esac
    recorded "$FOUND" "$path"
    text=with_live_test
    [ "$role" != vhost ] || { rename_to "$RECORDED" && find_listens "$path"; }
    if [ "$role" = map ] && grep -qsF "include $CLIENTS/" "$RECORDED" && ! is_today "$RECORDED"; then
      note "the gate of today stays: the one of this release cannot read the clients"
      gate_files
    elif [ "$role" = vhost ]; then
      add vhost "$path" "$mode" "$text $RECORDED"
    else
      add "$role" "$path" "$mode" "cat $RECORDED"
    fi
  done <"$FOUND/state"
  shared_files
}

# find_listens VHOST: the recorded ones, unless they include a wildcard that a reload could not bind now.
find_listens() {
  link_of "${1##*/}"
  plan_listens "$LINK"
  for port in 80 443; do
    case " $PLAN" in *" $port|*|"*) ;; *) ! grep -q "^[[:space:]]*listen[[:space:]]*${port}[ ;]" "$RECORDED" || text=restored ;; esac
  done
}

restored() {
  modern=''
  with_live_test "$1" | with_listens
}

# rename_to VHOST: the restored release may have an earlier name of the site.
rename_to() {
  served=''
  say_served "$1"
  # Only these names may conflict with other vhosts.
  SERVER_NAMES=''
  for name in $served; do [ "$name" = _ ] || SERVER_NAMES="$SERVER_NAMES $name"; done
}

# want_missing ROLE NAME MODE FUNCTION: files that sites share are not rolled back, only deployed if they are missing.
want_missing() {
  SHARED=$MAP_DIR/$2
  if [ ! -e "$SHARED" ]; then
    want "$@"
  elif is_edited_map "$4"; then
    add_as_is foreign "$SHARED"
  else
    add_as_is "$1" "$SHARED"
  fi
}

find_release() {
  known=
  for FOUND in $RELEASES; do
    id_of "$FOUND"
    [ "$ID" != "$1" ] || return 0
    known="$known $ID"
  done
  refuse no-release "there is no release $1; there are:${known:- none}"
}

# find_before: starting at the release that deployed the current files, the next older one that deployed others. (So
# repeated rollbacks go further back, never forward.) Skips states in which the full site is not served.
find_before() {
  FOUND='' origin='' newest='' partial='' SERVED_NOW='' REMOVED='' KIND=''
  [ -z "$LAST" ] || { served_by "$LAST" && SERVED_NOW=$SERVED; }
  [ -z "$LAST" ] || kind_of "$LAST"
  [ "$KIND" != remove ] || REMOVED=yes
  for release in $RELEASES; do
    has_own_files "$release" || continue
    if [ "$(own_state "$release")" = "$(own_state "$LAST")" ]; then
      origin=${origin:-$release}
    elif [ "$KIND" = http_only ] || ! serves_as_now "$release"; then
      id_of "$release" && partial="$partial $ID"
    elif [ -n "$origin" ]; then
      FOUND=$release
      return
    else
      newest=${newest:-$release}
    fi
  done
  # The release that deployed them was pruned: all remaining ones have other files.
  [ -n "$origin" ] || FOUND=$newest
  [ -z "$FOUND" ] || return 0
  refuse no-earlier "there is no earlier release${partial:+ that serves the whole site; releases that do not:$partial (--to ID restores one)}"
}

# own_state RELEASE: its files without those that are never rolled back.
own_state() { grep -Ev '^(shared|foreign) ' "$1/state" 2>/dev/null; }

# has_own_files RELEASE: a rollback, or a change of clients, only has files of an earlier release; a removal has none.
# The state before a removal is in the last one of any kind.
has_own_files() {
  kind_of "$1"
  if [ "$1" != "$LAST" ]; then
    [ -n "$(own_state "$1")" ] || return 1
    [ -z "$REMOVED" ] || return 0
  fi
  ! of_clients "$1" && [ "$KIND" != rollback ]
}

# serves_as_now RELEASE: is its vhost on TLS and linked, if the current release's is?
serves_as_now() {
  served_by "$1"
  for needed in $SERVED_NOW; do
    case " $SERVED " in *" $needed "*) ;; *) return 1 ;; esac
  done
}

# served_by RELEASE: leaves in SERVED how its vhost is served: tls, linked.
served_by() {
  SERVED=
  while read -r role path _; do
    recorded "$1" "$path"
    case $role in
      vhost)
        ! is_on_tls "$RECORDED" || SERVED="$SERVED tls"
        case $path in */sites-available/*) ;; *) SERVED="$SERVED linked" ;; esac
        ;;
      link) SERVED="$SERVED linked" ;;
    esac
  done <"$1/state"
}
