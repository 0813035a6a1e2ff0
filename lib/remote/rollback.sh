# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Verb rollback: the vhost and the maps of an earlier release. Clients are in no release: none comes back.

rollback() {
  begin
  examine
  carry_out settled
}

# site_files: what the release TO wants, or the last one before what is deployed now.
site_files() {
  if [ -n "$TO" ]; then
    find_release "$TO"
  else
    find_before
  fi
  ABOUT="to $(id_of "$FOUND")"
  [ -s "$FOUND/state" ] || refuse no-files "the release $(id_of "$FOUND") has no files; to take the site off there is remove.ts"
  note "back to the release $(id_of "$FOUND")"
  while read -r role path mode sha; do want_recorded "$role" "$path" "$mode" "$sha"; done <"$FOUND/state"
  shared_files
}

# want_missing ROLE NAME MODE FUNCTION: what sites share is in no release; it is brought only where it is missing.
want_missing() { [ -e "$NGINX_DIR/conf.d/$2" ] || want "$@"; }

id_of() { id=${1##*/}; printf '%s' "${id#*.}"; }

find_release() {
  FOUND=$(releases | grep -F ".$1" | grep -x ".*/[0-9]*\.$1") ||
    refuse no-release "there is no release $1; there are: $(known_releases)"
}

known_releases() {
  for release in $(releases); do printf '%s ' "$(id_of "$release")"; done | sed 's/ $//'
}

# find_before: from the release that brought the present files, the next older one that brought others. (So one rollback
# after another goes further back, and never forth again.)
find_before() {
  FOUND='' origin='' newest=''
  for release in $(releases); do
    brought_files "$release" || continue
    if cmp -s "$release/state" "$LAST/state"; then
      origin=${origin:-$release}
    elif [ -n "$origin" ]; then
      FOUND=$release
      return
    else
      newest=${newest:-$release}
    fi
  done
  # The one that brought them is no longer kept: all that are left are other ones.
  [ -n "$origin" ] || FOUND=$newest
  [ -z "$FOUND" ] || return 0
  refuse no-earlier "there is no release before the one that is deployed"
}

# brought_files RELEASE: a rollback, or a change of clients, only has the files of an earlier one; a removal has none.
brought_files() {
  ! of_clients "$1" && ! grep -Eq '^kind (rollback|http_only)$' "$1/meta" && { [ "$1" = "$LAST" ] || [ -s "$1/state" ]; }
}

# want_recorded ROLE PATH MODE SHA256: one file as the release has it.
want_recorded() {
  check_target "$1" "$2"
  state=changed
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    state=new
  elif [ "$(sha256_of "$2")" = "$4" ] && { [ "$1" = link ] || has_mode "$2" "$3"; }; then
    state=same
  fi
  WANTED="$WANTED$1|$2|$3|cat $(recorded "$FOUND" "$2")|$state
"
}
