# shellcheck shell=sh
# Verbs apply, http_only (only the vhost that answers the CA's challenge) and plan: install the site's files on this host.
# Needs: CLIENTS KIND LAST RELEASES
# Leaves: DRY GENERATED

apply() {
  begin
  examine
  check_variables
  [ -z "$LAST" ] || [ ! -d "$LAST/kept" ] ||
    note "this change drops the clients that were removed with the site; only a rollback before it restores them"
  run_change up_to_date
}

http_only() { apply; }

plan() {
  DRY=yes
  apply
}

# want_first NAME MODE FUNCTION: a client for a host that has no clients and never had the full site.
want_first() {
  ! was_whole || return 0
  for any in "$CLIENTS"/*.map; do [ ! -e "$any" ] || return 0; done
  GENERATED=$1
  want client "$@"
}

# was_whole: was the full site here since its last removal?
was_whole() {
  for release in $RELEASES; do
    kind_of "$release"
    case $KIND in
      remove) return 1 ;;
      found | http_only) ;;
      *) return 0 ;;
    esac
  done
  return 1
}
