# shellcheck shell=sh
# The site's files: their places and form on this host, and whether they are there.
#
# WANTED has one line per file: ROLE PATH MODE FUNCTION STATE; FUNCTION prints its content. Roles:
#   vhost, map   the site's own, kept in releases
#   shared       the WebSocket map, which sites share; kept in releases, but no rollback touches it
#   foreign      that map, created or edited by somebody else: kept in releases, and never treated as ours
#   client       a client of the gate; no rollback touches it
#   link         a symbolic link; FUNCTION prints its target
#   gone         a file of an earlier release that is no longer wanted
# Needs: CLAIMS CLIENTS DEFINES_UPGRADE JOURNAL LINK LINK_DIR LINK_END LIVE_FILES MAP_DIR NEW NGINX_DIR NL OWNER PENDING SERVER_NAMES
# Needs: STORE USES_UPGRADE VERSION VHOST_DIR
# Leaves: SHARED SHARED_EDITED TARGET WANTED WHY WRITTEN

WANTED='' WRITTEN='' SHARED='' SHARED_EDITED='' MODES=''

# say_served VHOST: fact serves NAMES, if these are not the site's current name.
say_served() {
  served=" $(sed -n 's/^[[:space:]]*server_name[[:space:]]\{1,\}\([^;]*\);.*/\1/p' "$1" | sort -u | tr '\n' ' ')"
  case $served in *" ${SERVER_NAMES:-_} "*) ;; *) say fact serves "$served" ;; esac
}

# is_on_tls FILE: does this vhost have a certificate?
is_on_tls() { grep -q '^[^#]*ssl_certificate' "$1"; }

# at_least MAJOR MINOR PATCH: is this nginx at least that version?
at_least() {
  IFS=. read -r major minor patch <<END
${VERSION:-0}.0.0
END
  [ $((major * 1000000 + minor * 1000 + ${patch%%.*})) -ge $(($1 * 1000000 + $2 * 1000 + $3)) ]
}

# want ROLE NAME MODE FUNCTION: adds a file of the site to WANTED, with its state here.
want() {
  case $1 in
    vhost)
      check_owner "$VHOST_DIR/$2"
      link_of "$2"
      plan_listens "$LINK"
      VHOST_TEXT=$(vhost_text "$4")
      add vhost "$VHOST_DIR/$2" "$3" print_vhost
      [ -z "$LINK_DIR" ] || add link "$LINK" 777 "echo $VHOST_DIR/$2"
      ;;
    shared)
      SHARED=$MAP_DIR/$2
      if others_define "$SHARED"; then
        note "\$connection_upgrade is already defined in$others; $2 is not deployed"
      elif is_edited_map "$4" && find_map_users; then
        note "$SHARED was made or edited by hand, and$USERS use its \$connection_upgrade: it is left as it is"
        add_as_is foreign "$SHARED"
      else
        [ -z "$SHARED_EDITED" ] || note "$SHARED was made or edited by hand: it is replaced; the release history keeps it"
        add shared "$SHARED" "$3" "$4"
      fi
      ;;
    map) add map "$MAP_DIR/$2" "$3" "for_this_nginx $4" ;;
    client)
      plan_client deploy "$2" "$4"
      [ ! -e "$PENDING/$2" ] || unwant "$CLIENTS/$2.map"
      add client "$CLIENTS/$2.map" "$3" client_text
      ;;
  esac
}

print_vhost() { printf '%s\n' "$VHOST_TEXT"; }

# others_define PATH: do files other than PATH define $connection_upgrade?
others_define() {
  others=
  for file in $DEFINES_UPGRADE; do [ "$file" = "$1" ] || others="$others $file"; done
  [ -n "$others" ]
}

# is_edited_map FUNCTION: does the WebSocket map differ, beyond comments, from ours and from every release? Leaves that
# in SHARED_EDITED.
is_edited_map() {
  [ -f "$SHARED" ] && ! "$1" | cmp -s - "$SHARED" && [ "$("$1" | directives)" != "$(directives <"$SHARED")" ] && ! is_shared_release shared "$SHARED" || return 1
  SHARED_EDITED=yes
}

directives() { sed 's/#.*//; s/[[:space:]]\{1,\}/ /g; s/^ //; s/ $//; /^$/d'; }

# find_map_users: leaves in USERS other files that use $connection_upgrade, if the WebSocket map defines it.
find_map_users() {
  USERS=''
  case " $DEFINES_UPGRADE " in *" $SHARED "*) ;; *) return 1 ;; esac
  for file in $USES_UPGRADE; do
    grep -qsF " $file " "$STORE"/*/releases/*/state || USERS="$USERS $file"
  done
  [ -n "$USERS" ]
}

# add_as_is ROLE PATH: a file that stays unchanged, and is kept in the release.
add_as_is() { WANTED="$WANTED$1|$2|$(stat -c %a "$2")|cat $2|same$NL"; }

# see_files: reads the state of all files that the site may have here, and of the folders above the live files. Leaves in SEEN
# a line for each existing one: PATH MODE:OWNER INODE SIZE TIME.
see_files() {
  SEEN=$NL$(stat -c '%n %a:%u:%g %i %s %y' "$NGINX_DIR" "$LIVE_FILES" "$NGINX_DIR"/*/* "$CLIENTS"/*.map 2>/dev/null)$NL || :
}

# is_untouched ROLE PATH MODE CONTENT-FUNCTION STATE: is it unchanged since MODES was read? SEEN has its current state.
is_untouched() {
  WHY="$2 was edited while this change was prepared"
  case $5 in
    same) return 0 ;;
    new) ! is_there "$2" && return ;;
  esac
  case $MODES in *"$NL$2 "*) ;; *) return 0 ;; esac
  find_line "$2"
  case $SEEN in *"$NL$LINE$NL"*) ;; *) return 1 ;; esac
}

# find_line PATH: leaves in LINE the line of PATH in MODES. With a thousand clients, dash takes
# minutes for ${MODES#*"$1 "}.
find_line() {
  set -f
  IFS=$NL
  for LINE in $MODES; do
    case $LINE in "$1 "*) break ;; esac
  done
  unset IFS
  set +f
}

# check_variables: nginx accepts a second definition of a variable, and applies the last one to every site.
check_variables() {
  while read -r file name; do
    case $NL$WANTED in *"|$file|"*) continue ;; esac
    [ -z "$file" ] || is_released "$file" || refuse variable "$file defines \$$name, which this site defines as well"
  done <<END
$CLAIMS
END
}

add() {
  [ -n "$MODES" ] || { see_files; MODES=$SEEN; }
  check_target "$1" "$2"
  if ! is_there "$2"; then
    state=new
  elif is_as_wanted "$@"; then
    state=same
  else
    state=changed
  fi
  WANTED="$WANTED$1|$2|$3|$4|$state$NL"
}

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# check_target ROLE PATH: never writes through a link, or over something other than a file.
check_target() {
  if [ -d "$2" ] && [ ! -L "$2" ]; then
    refuse target "$2 is a directory"
  elif [ -L "$2" ] && [ "$1" != link ] && ! is_own_link "$2"; then
    refuse target "$2 is a symbolic link to $(readlink "$2"); replace it with a file or remove it"
  elif [ -e "$2" ] && [ ! -f "$2" ]; then
    refuse target "$2 is neither a file nor a link"
  fi
}

# check_owner PATH: a name in the settings may belong to another site.
check_owner() {
  is_there "$1" && ! is_released "$1" && find_owner "$1" || return 0
  refuse target "$1 is the vhost of the site $OWNER"
}

# is_own_link PATH: is it a link as we create it, in a place that previously had a file?
is_own_link() {
  name=${1##*/}
  [ -n "$LINK_DIR" ] && [ "${1%/*}" = "$LINK_DIR" ] && leads_to "$1" "$VHOST_DIR/${name%"$LINK_END"}.conf"
}

# is_as_wanted ROLE PATH MODE FUNCTION
is_as_wanted() {
  case $1 in
    link) [ -L "$2" ] && find_target "$4" && leads_to "$2" "$TARGET" ;;
    client) has_mode "$2" "$3" && find_keys <"$2" && has_keys "$KEYS" "$($4)" ;;
    *) has_mode "$2" "$3" && $4 | cmp -s - "$2" ;;
  esac
}

# find_target FUNCTION: leaves in TARGET its output.
find_target() { case $1 in 'echo '*) TARGET=${1#echo } ;; *) TARGET=$($1) ;; esac; }

leads_to() { [ "$(readlink "$1")" = "$2" ] || [ "$(readlink -f "$1")" = "$2" ]; }

# has_mode PATH MODE: is it owned by root, with this mode?
has_mode() {
  [ -n "$MODES" ] || { see_files; MODES=$SEEN; }
  case $MODES in *"$NL$1 $2:0:0 "*) ;; *) [ "$(stat -c '%a:%u:%g' "$1" 2>/dev/null)" = "$2:0:0" ] ;; esac
}

# is_passable FOLDER: can everybody enter it, or does it not exist?
is_passable() {
  [ -n "$MODES" ] || { see_files; MODES=$SEEN; }
  find_line "$1"
  case $LINE in "$1 "*) ;; *) return 0 ;; esac
  mode=${LINE#"$1 "}
  case ${mode%%:*} in *[1357]) ;; *) return 1 ;; esac
}

# find_keys: leaves in KEYS the lines that the gate reads from a client file on stdin.
find_keys() {
  KEYS=''
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) ;; *) KEYS="$KEYS$line$NL" ;; esac
  done
}

has_keys() {
  find_keys <<END
$2
END
  [ "$KEYS" = "$1" ]
}

# each_wanted FUNCTION: calls FUNCTION ROLE PATH MODE CONTENT-FUNCTION STATE for every wanted file.
each_wanted() {
  while IFS='|' read -r role path mode content state; do
    [ -z "$role" ] || "$1" "$role" "$path" "$mode" "$content" "$state" || return 1
  done <<END
$WANTED
END
}

# stage ROLE PATH MODE CONTENT-FUNCTION STATE: writes the new file next to its target, and reads it back.
stage() {
  case $5 in same | gone) return 0 ;; esac
  stage_names "$2"
  WHY="cannot write $NEW"
  if [ "$1" = link ]; then
    find_target "$4"
    ln -sfn "$TARGET" "$NEW" && echo "link $NEW $TARGET" >>"$JOURNAL.new/after"
  else
    { ! is_there "$NEW" || rm -f "$NEW"; } && write_file "$NEW" "$4" && chmod "$3" "$NEW" && make_roots "$NEW" &&
      $4 | cmp -s - "$NEW" && WRITTEN="$WRITTEN $NEW"
  fi
}

# make_roots FILE: sets owner and group to root, even if the folder has a setgid group.
make_roots() { { [ -O "$1" ] && [ -G "$1" ]; } || chown 0:0 "$1"; }

# swap ROLE PATH MODE CONTENT-FUNCTION STATE: renames the staged file to its target.
swap() {
  stage_names "$2"
  WHY="cannot replace $2"
  case $5 in
    same) return 0 ;;
    gone) rm -f "$2" ;;
    *) mv -fT "$NEW" "$2" ;;
  esac && WRITTEN="$WRITTEN ${2%/*}"
}
