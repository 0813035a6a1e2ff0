# shellcheck shell=sh
# Verb remove: removes the site's files from this host, including its clients and their tokens. Certificates and release
# history stay; unless PURGE is set, the history keeps the client files.
# Needs: ACCEPTED CHAIN CLIENTS DRY LAST LINK LINK_DIR LIVE_FILES MAP_DIR NL PURGE SITE STORE USES_UPGRADE VHOST_DIR
# Leaves: EMPTIED ENDING KEEPING READY WANTED

remove() {
  begin
  examine
  [ -z "$DRY" ] || { each_wanted show_removed; finish planned 0; }
  if all_same; then
    drop_clients
    purge_kept
    finish unchanged 0
  fi
  EMPTIED="$CLIENTS $LIVE_FILES"
  [ -n "$PURGE" ] || KEEPING=yes
  change
  drop_clients
  say_clients_left
  [ ! -e "$CHAIN" ] || note "the certificate $CHAIN is kept"
  note "the release history is kept in $STORE/$SITE"
  finish applied 0
}

say_clients_left() {
  each_wanted is_no_client && return
  if [ -n "$PURGE" ]; then
    note "the clients and their tokens are deleted for good"
  else
    note "the clients are kept with the release, readable by root only: a rollback restores them, until the next change of the site; \`remove.ts --purge\` deletes them"
  fi
}

is_no_client() { [ "$1" != client ]; }

# purge_kept: deletes the clients that an earlier removal kept.
purge_kept() {
  [ -n "$PURGE" ] && [ -n "$LAST" ] && [ -d "$LAST/kept" ] || return 0
  rm -rf "$LAST/kept" || refuse write "cannot remove $LAST/kept"
  note "the clients that an earlier removal kept are deleted for good"
}

# A client's file is shown only by its path.
show_removed() { [ "$1" = client ] || show_file "$@"; }

# unwant_file ROLE NAME [CONTENT-FUNCTION]: a file that the site may have here; the vhost's link first, the files that
# the vhost needs last.
unwant_file() {
  case $1 in
    vhost)
      if [ -n "$LAST" ] && [ -s "$LAST/state" ]; then
        # By the names that it has here, which may differ from the settings.
        released link && released vhost
      elif ! find_owner "$VHOST_DIR/$2"; then
        link_of "$2"
        [ -z "$LINK_DIR" ] || remove_entry link "$LINK"
        remove_entry vhost "$VHOST_DIR/$2"
      fi
      ;;
    map) remove_entry map "$MAP_DIR/$2" ;;
    shared) unwant_shared "$MAP_DIR/$2" "$3" ;;
  esac
}

# released ROLE: an entry for each file of the last release in this role.
released() {
  while read -r role path _; do [ "$role" != "$1" ] || remove_entry "$role" "$path"; done <"$LAST/state"
}

# remove_entry ROLE PATH: an entry in WANTED, if the file is here.
remove_entry() {
  is_there "$2" || return 0
  check_target link "$2"
  WANTED="$WANTED$1|$2|$(stat -c %a "$2")|-|gone$NL"
}

# unwant_clients: every file in their directory, including editors' copies and leftovers, since they contain tokens.
unwant_clients() {
  [ -n "$CLIENTS" ] || return 0
  for path in "$CLIENTS"/* "$CLIENTS"/.[!.]*; do
    case ${path##*/} in *[!A-Za-z0-9._~-]* | *.gatepost-*) continue ;; esac
    [ ! -f "$path" ] || remove_entry client "$path"
  done
  ENDING=$(live_names) READY=yes
}

drop_clients() {
  [ -n "$CLIENTS" ] || return 0
  for name in $ENDING; do rm -f "$LIVE_FILES/$name"; done
  for folder in "$CLIENTS" "$LIVE_FILES"; do
    [ ! -d "$folder" ] || rmdir "$folder" 2>/dev/null || note "$folder stays: it contains files that gatepost does not manage"
  done
}

# unwant_shared PATH CONTENT-FUNCTION: the WebSocket map is removed with its last user, unless it was changed by hand.
unwant_shared() {
  [ -f "$1" ] && [ -n "$WANTED" ] || return 0
  users=
  for file in $USES_UPGRADE; do
    case $WANTED in *"|$file|"*) ;; *) users="$users$file " ;; esac
  done
  if [ -z "$ACCEPTED" ]; then
    note "$1 stays: nginx does not report who else needs it"
  elif [ -n "$users" ]; then
    note "$1 stays: ${users}needs it"
  elif ! "$2" | cmp -s - "$1"; then
    note "$1 stays: it was changed by hand"
  else
    remove_entry shared "$1"
  fi
}
