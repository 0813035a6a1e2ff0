# shellcheck shell=sh
# Releases: what was deployed to the host, when and by whom; the last ten are kept.
#
# A release is a directory NUMBER.ID with `meta` (KEY VALUE lines), `state` (ROLE PATH MODE SHA256 lines) and, for the
# site's own files and the WebSocket map, their content in `files`.
# Needs: ABOUT CLIENT GATEPOST NL NOW RUN SHARED SHARED_EDITED SITE STORE VERSION WHO
# Leaves: DRIFT ID KIND LAST NEXT OWNER RECORDED RELEASES WANTED

RELEASES_KEPT=10
LAST='' DRIFT=''

# find_releases: leaves in RELEASES their directories, the newest first, and in LAST that one.
find_releases() {
  RELEASES='' LAST=''
  for release in "$STORE/$SITE/releases"/[0-9]*.*; do
    [ ! -d "$release" ] || RELEASES="$release $RELEASES" LAST=$release
  done
}

# id_of RELEASE: leaves its id in ID.
id_of() { ID=${1##*/} && ID=${ID#*.}; }

# kind_of RELEASE: leaves in KIND the verb that created it, or `found`.
kind_of() {
  KIND=
  while read -r key value; do [ "$key" != kind ] || KIND=$value; done 2>/dev/null <"$1/meta"
}

say_last() { [ -z "$LAST" ] || { id_of "$LAST" && say release "$ID"; }; }

# checksums FILE…: leaves in SUMS a line `SHA256  FILE` for each that is readable.
checksums() { SUMS=$NL$(sha256sum "$@" 2>/dev/null </dev/null)$NL || :; }

# find_drift: leaves in DRIFT the files that were changed or removed by hand since the last release.
find_drift() {
  DRIFT=
  [ -n "$LAST" ] || return 0
  set --
  while read -r _ path _; do set -- "$@" "$path"; done <"$LAST/state"
  checksums "$@"
  while read -r role path mode sha; do
    if ! is_there "$path"; then
      DRIFT="$DRIFT$path|removed$NL"
      continue
    fi
    is_as_recorded "$role" "$path" "$mode" "$sha" || is_shared_release "$role" "$path" || DRIFT="$DRIFT$path|changed$NL"
    case $role:$WANTED in shared:* | foreign:* | *"|$path|"*) ;; *) WANTED="$WANTED$role|$path|$mode|-|gone$NL" ;; esac
  done <"$LAST/state"
  [ -z "$SHARED_EDITED" ] || is_released "$SHARED" || DRIFT="$DRIFT$SHARED|changed$NL"
}

# is_as_recorded ROLE PATH MODE SHA256: does it match the last release?
is_as_recorded() {
  if [ "$1" = link ]; then
    recorded "$LAST" "$2"
    [ -L "$2" ] && read -r target <"$RECORDED" && [ "$(readlink "$2")" = "$target" ]
  else
    case $SUMS in *"$NL$4  $2$NL"*) has_mode "$2" "$3" ;; *) return 1 ;; esac
  fi
}

# is_shared_release ROLE PATH: does a shared file match any release of any site?
is_shared_release() {
  [ "$1" = shared ] || return 1
  sum=$(sha256sum <"$2")
  grep -qs "^shared $2 [0-7]* ${sum%% *}\$" "$STORE"/*/releases/*/state
}

say_drift() {
  while IFS='|' read -r path how; do [ -z "$path" ] || say drift "$path" "$how"; done <<END
$DRIFT
END
}

# describe DIRECTORY KIND: writes a release's meta, state and files into DIRECTORY, from the current files.
describe() {
  INTO=$1
  printf '%s\n' "id $RUN" "kind $2" "when $NOW" "who $WHO" "nginx $VERSION" "about $ABOUT" \
    "gatepost $GATEPOST" >"$1/meta" && : >"$1/state" &&
    carry_over "$1" && each_wanted copy_file && checksums "$1"/files/* && each_wanted describe_file
}

# carry_over DIRECTORY: after a change of clients, the site's own files are those of the last release.
carry_over() {
  [ -n "$CLIENT" ] && [ -n "$LAST" ] || return 0
  cp -pR "$LAST/files/." "$1/files" && while read -r role path rest; do
    case $WANTED in *"$role|$path|"*) ;; *) printf '%s\n' "$role $path $rest" ;; esac
  done <"$LAST/state" >"$1/state"
}

copy_file() {
  is_own "$@" || return 0
  recorded "$INTO" "$2"
  if [ -L "$2" ]; then readlink "$2" >"$RECORDED"; else cp -p "$2" "$RECORDED"; fi
}

describe_file() {
  is_own "$@" || return 0
  recorded "$INTO" "$2"
  sha=${SUMS%%"  $RECORDED$NL"*}
  sha=${sha##*"$NL"}
  case $ROLE:$1 in vhost:link) set -- "$1" "$2" "$(stat -c %a "$2")" ;; esac
  [ -n "$sha" ] && printf '%s %s %s %s\n' "$ROLE" "$2" "$3" "$sha" >>"$INTO/state"
}

# is_own ROLE PATH: is it one of the site's own files, and does it exist? Leaves its role in ROLE.
is_own() {
  ROLE=$1
  is_there "$2" || return 1
  case $1 in
    vhost | map | foreign) ;;
    shared) case $SHARED_EDITED:$INTO in yes:*/found.new) ROLE=foreign ;; esac ;;
    # The link may have been replaced with a file.
    link) [ -L "$2" ] || ROLE=vhost ;;
    gone) if [ -L "$2" ]; then ROLE="link"; else ROLE=map; fi ;;
    *) return 1 ;;
  esac
}

# recorded RELEASE PATH: leaves in RECORDED the release's copy of PATH, or the target of a link.
recorded() {
  name=$2
  while [ "$name" != "${name#*/}" ]; do name=${name%%/*}:${name#*/}; done
  RECORDED=$1/files/$name
}

# name_release ID: leaves in NEXT its directory, NUMBER.ID, numbered after the last one, so that the order does not
# depend on a clock.
name_release() {
  number=${LAST##*/}
  number=${number%%.*}
  number=${number#"${number%%[!0]*}"}
  number=00000$((${number:-0} + 1))
  NEXT=$STORE/$SITE/releases/${number#"${number%??????}"}.$1
}

# record_found: saves files that gatepost did not deploy as a separate release.
record_found() {
  is_unknown || return 0
  found=$STORE/$SITE/found.new
  rm -rf "$found"
  mkdir -p "$found/files" && describe "$found" found || return 1
  if [ -s "$found/state" ]; then
    name_release "$RUN-before"
    mv -fT "$found" "$NEXT" && LAST=$NEXT
  else
    rm -rf "$found"
  fi
}

# is_unknown: might something here be in no release? (A file that was only removed needs no copy.)
is_unknown() {
  [ -n "$LAST" ] || return 0
  case $DRIFT in *'|changed'*) return 0 ;; esac
  ! each_wanted is_known
}

# is_known ROLE PATH MODE CONTENT-FUNCTION STATE: is the file that would be replaced one of the last release?
is_known() {
  case $1:$5 in vhost:changed | map:changed | link:changed) is_released "$2" ;; esac
}

# is_released PATH: is it a file of the last release?
is_released() {
  [ -n "$LAST" ] || return 1
  while read -r _ released _; do [ "$released" != "$1" ] || return 0; done <"$LAST/state"
  return 1
}

# keep_released: keeps files of the last release that this change does not have.
keep_released() {
  [ -n "$LAST" ] || return 0
  while read -r role path mode _; do
    case $WANTED in *"|$path|"*) continue ;; esac
    ! is_there "$path" || WANTED="$WANTED$role|$path|$mode|-|same$NL"
  done <"$LAST/state"
}

# find_owner PATH: leaves in OWNER the other site that deployed it, according to each site's last release.
find_owner() {
  OWNER=''
  for other in "$STORE"/*/releases; do
    other=${other%/releases}
    [ "$other" != "$STORE/$SITE" ] || continue
    newest=''
    for newest in "$other"/releases/[0-9]*.*; do :; done
    ! grep -qsF " $1 " "$newest/state" || OWNER=${other##*/}
  done
  [ -n "$OWNER" ]
}

# of_clients RELEASE: did it only change a client?
of_clients() {
  kind_of "$1"
  case $KIND in rotate | revoke_previous | *_client) ;; *) return 1 ;; esac
}

# prune_releases: keeps the last ten, and the last ten changes of clients, so that rotations displace no deploy. Removed
# clients are kept until the next change.
prune_releases() {
  sites=0 clients=0
  find_releases
  for release in $RELEASES; do
    [ "$release" = "$LAST" ] || [ ! -d "$release/kept" ] || rm -rf "$release/kept"
    if of_clients "$release"; then
      clients=$((clients + 1)) count=$clients
    else
      sites=$((sites + 1)) count=$sites
    fi
    [ "$count" -le "$RELEASES_KEPT" ] || rm -rf "$release"
  done
}
