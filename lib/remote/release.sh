# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Releases: what was put on the host, when and by whom; the last ten are kept.
#
# A release is a directory NUMBER.ID with `meta` (KEY VALUE lines), `state` (ROLE PATH MODE SHA256 lines) and,
# for the site's own files, their content in `files`.

RELEASES_KEPT=10

# last_release: the directory of the newest one, or nothing.
last_release() {
  last=$(find "$STORE/$SITE/releases" -mindepth 1 -maxdepth 1 -name '[0-9]*.*' 2>/dev/null | sort | tail -n 1)
  printf '%s' "$last"
}

# sha256_of PATH: of a file's content, of a link's target, or `-`.
sha256_of() {
  if [ -L "$1" ]; then
    readlink "$1" | sha256
  elif [ -f "$1" ]; then
    sha256 <"$1"
  else
    echo -
  fi
}

# find_drift: what somebody changed or removed since the last release; files of it that are wanted no more.
find_drift() {
  DRIFT='' LAST=$(last_release)
  [ -n "$LAST" ] || return 0
  while read -r role path mode sha; do
    case $role in vhost | map | link) ;; *) continue ;; esac
    now=$(sha256_of "$path")
    if [ "$now" = - ]; then
      DRIFT="$DRIFT$path|removed
"
    elif [ "$now" != "$sha" ] || { [ "$role" != link ] && ! has_mode "$path" "$mode"; }; then
      DRIFT="$DRIFT$path|changed
"
    fi
    case $WANTED in *"|$path|"*) ;; *) [ "$now" = - ] || WANTED="${WANTED}gone|$path|$mode|-|gone
" ;; esac
  done <"$LAST/state"
}

say_drift() {
  while IFS='|' read -r path how; do [ -z "$path" ] || say drift "$path" "$how"; done <<END
$DRIFT
END
}

# describe DIRECTORY KIND: a release's meta and state in DIRECTORY, from what is on the host now.
describe() {
  mkdir -p "$1/files" &&
    printf '%s\n' "id $RUN" "kind $2" "when $NOW" "who $WHO" "nginx $VERSION" "about ${ABOUT:-}" >"$1/meta" &&
    : >"$1/state" && carry_over "$1" && INTO=$1 && each_wanted describe_file
}

# carry_over DIRECTORY: a change of clients leaves the site's own files as the last release has them.
carry_over() {
  [ -n "${CLIENT:-}" ] && [ -n "$LAST" ] || return 0
  cp "$LAST/state" "$1/state" && cp -pR "$LAST/files/." "$1/files"
}

describe_file() {
  was=$1
  case $1 in
    vhost | map | link) ;;
    gone) if [ -L "$2" ]; then was="link"; else was="map"; fi ;;
    *) return 0 ;;
  esac
  sha=$(sha256_of "$2")
  [ "$sha" != - ] || return 0
  printf '%s %s %s %s\n' "$was" "$2" "$3" "$sha" >>"$INTO/state" || return 1
  if [ -L "$2" ]; then readlink "$2" >"$(recorded "$INTO" "$2")"; else cp -p "$2" "$(recorded "$INTO" "$2")"; fi
}

# recorded RELEASE PATH: where a release has the content of PATH, or the target of a link.
recorded() { printf '%s/files/%s' "$1" "$(printf '%s' "$2" | tr / :)"; }

# release_name ID: NUMBER.ID, one after the last, so that no clock decides what is newer.
release_name() {
  number=${LAST##*/}
  number=$(printf '%s' "${number%%.*}" | sed 's/^0*//')
  printf '%s/%s/releases/%06d.%s' "$STORE" "$SITE" $((${number:-0} + 1)) "$1"
}

# record_found: what stands here by other hands is kept as a release of its own: the state before.
record_found() {
  case ${LAST:+$DRIFT} in *'|changed'*) ;; ?*) return 0 ;; *) [ -z "$LAST" ] || return 0 ;; esac
  found=$STORE/$SITE/found.new
  rm -rf "$found"
  describe "$found" found || return 1
  if [ -s "$found/state" ]; then
    name=$(release_name "$RUN-before")
    mv -fT "$found" "$name" && LAST=$name
  else
    rm -rf "$found"
  fi
}

# releases: their directories, the newest first.
releases() { find "$STORE/$SITE/releases" -mindepth 1 -maxdepth 1 -name '[0-9]*.*' 2>/dev/null | sort -r; }

# of_clients RELEASE: was it a change of the gate's clients only?
of_clients() { grep -Eq '^kind (rotate|revoke_previous|add_client|revoke_client)$' "$1/meta" 2>/dev/null; }

# prune_releases: the last ten stay, and the last ten changes of clients; no rotation pushes a deploy out.
prune_releases() {
  sites=0 clients=0
  for release in $(releases); do
    if of_clients "$release"; then
      clients=$((clients + 1)) count=$clients
    else
      sites=$((sites + 1)) count=$sites
    fi
    [ "$count" -le "$RELEASES_KEPT" ] || rm -rf "$release"
  done
}
