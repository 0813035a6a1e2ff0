# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# Verb remove: takes the files of the site off this host, its clients with their tokens too. Certificates and history stay.

remove() {
  begin
  examine
  [ -z "$DRY" ] || { each_wanted show_taken; finish planned 0; }
  if is_here; then
    drop_clients
    finish unchanged 0
  fi
  EMPTIED=$CLIENTS
  change
  drop_clients
  [ ! -e "$CHAIN" ] || note "the certificate $CHAIN stays"
  note "the history stays, in $STORE/$SITE"
  finish applied 0
}

# A client's file is named by its path only.
show_taken() { [ "$1" = client ] || show_file "$@"; }

# take_off ROLE NAME [CONTENT-FUNCTION]: one file that the site may have here; the vhost's link first, what the vhost needs last.
take_off() {
  case $1 in
    vhost)
      [ -z "$LINK_DIR" ] || gone link "$LINK_DIR/$2"
      gone vhost "$VHOST_DIR/$2"
      ;;
    map) gone map "$NGINX_DIR/conf.d/$2" ;;
    shared) take_off_shared "$NGINX_DIR/conf.d/$2" "$3" ;;
  esac
}

# gone ROLE PATH: noted in WANTED, when it is here.
gone() {
  is_there "$2" || return 0
  check_target link "$2"
  WANTED="$WANTED$1|$2|$(stat -c %a "$2")|-|gone$NL"
}

# take_off_clients: every file in their folder, copies and leftovers of editors included, since they hold tokens.
take_off_clients() {
  [ -n "$CLIENTS" ] || return 0
  for path in "$CLIENTS"/* "$CLIENTS"/.[!.]*; do
    case ${path##*/} in *[!A-Za-z0-9._~-]* | *.gatepost-*) continue ;; esac
    [ ! -f "$path" ] || gone client "$path"
  done
}

drop_clients() {
  if [ -n "$CLIENTS" ] && [ -d "$CLIENTS" ]; then
    rmdir "$CLIENTS" 2>/dev/null || note "$CLIENTS stays: it holds something that is not ours"
  fi
}

# take_off_shared PATH CONTENT-FUNCTION: the WebSocket map goes with its last user, unless somebody made it his own.
take_off_shared() {
  [ -f "$1" ] && [ -n "$WANTED" ] || return 0
  users=
  for file in $USES_UPGRADE; do
    case $WANTED in *"|$file|"*) ;; *) users="$users$file " ;; esac
  done
  if [ "$healthy" != yes ]; then
    note "$1 stays: nginx does not say who else needs it"
  elif [ -n "$users" ]; then
    note "$1 stays: ${users}needs it"
  elif ! "$2" | cmp -s - "$1"; then
    note "$1 stays: it was changed by hand"
  else
    gone shared "$1"
  fi
}
