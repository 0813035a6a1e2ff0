# shellcheck shell=sh disable=SC2034 # the parts share their variables
# The files that the site wants here: where they go on this host, in which form, and whether they are there.
#
# WANTED holds a line a file: ROLE PATH MODE FUNCTION STATE, the FUNCTION printing its content. Roles:
#   vhost, map   the site's own, kept in releases
#   shared       the WebSocket map, which sites share; no rollback touches it
#   client       a client of the gate; no rollback touches it
#   link         a symbolic link to what FUNCTION prints
#   gone         one of an earlier release that is not wanted any more

WANTED='' FRESH='' GENERATED='' SHARED=''

# check_layout: where the include lines of this nginx let a vhost be.
check_layout() {
  case $(surveyed includes) in
    *conf.d*) ;;
    *) refuse layout "nginx.conf does not include $NGINX_DIR/conf.d/*.conf in its http block" ;;
  esac
  case $(surveyed includes) in
    *sites-enabled*) VHOST_DIR=$NGINX_DIR/sites-available LINK_DIR=$NGINX_DIR/sites-enabled ;;
    *) VHOST_DIR=$NGINX_DIR/conf.d LINK_DIR= ;;
  esac
}

# adapt: a vhost on stdin, written for the oldest nginx, into the form that this host wants.
adapt() {
  drop='' modern=''
  grep -q . /proc/net/if_inet6 2>/dev/null || drop='/^ *listen \[::\]/d'
  ! at_least 1 25 1 || modern='s/^\( *\)\(listen 443 ssl\) http2\(.*\)$/\1\2\3\
\1http2 on;/; s/^\( *listen \[::\]:443 ssl\) http2/\1/'
  sed -e "$drop" -e "$modern"
}

# at_least MAJOR MINOR PATCH: is this nginx as new as that?
at_least() {
  printf '%s\n' "$VERSION" | awk -F. -v a="$1" -v b="$2" -v c="$3" \
    '{ exit !($1 * 1000000 + $2 * 1000 + $3 >= a * 1000000 + b * 1000 + c) }'
}

vhost_text() { "$1" | adapt; }

# want ROLE NAME MODE FUNCTION: one file of the site, noted in WANTED with its state here.
want() {
  case $1 in
    vhost)
      add vhost "$VHOST_DIR/$2" "$3" "vhost_text $4"
      [ -z "$LINK_DIR" ] || add link "$LINK_DIR/$2" 777 "echo $VHOST_DIR/$2"
      ;;
    shared)
      others=$(surveyed upgrade | grep -vFx "$NGINX_DIR/conf.d/$2" | sort -u)
      SHARED=$NGINX_DIR/conf.d/$2
      if [ -z "$others" ]; then
        add shared "$SHARED" "$3" "$4"
      else
        note "\$connection_upgrade is defined in $(printf '%s' "$others" | tr '\n' ' '); $2 is left as it is"
      fi
      ;;
    map) add map "$NGINX_DIR/conf.d/$2" "$3" "$4" ;;
    client) add client "$CLIENTS/$2.map" "$3" "client_text $4 $CLIENTS/$2.map" ;;
  esac
}

# want_first NAME MODE FUNCTION: a client that only a host without any client or history of the whole site gets.
want_first() {
  ! was_whole || return 0
  for any in "$CLIENTS"/*.map; do [ ! -e "$any" ] || return 0; done
  GENERATED=$1
  want client "$@"
}

# was_whole: has the whole site been here since it was last removed, or ever?
was_whole() {
  for release in $(releases); do
    case $(sed -n 's/^kind //p' "$release/meta") in
      remove) return 1 ;;
      found | http_only) ;;
      *) return 0 ;;
    esac
  done
  return 1
}

add() {
  check_target "$1" "$2"
  state=$(state_of "$@")
  WANTED="$WANTED$1|$2|$3|$4|$state
"
}

# check_target ROLE PATH: never write through or over something that we do not understand.
check_target() {
  if [ -d "$2" ] && [ ! -L "$2" ]; then
    refuse target "$2 is a directory"
  elif [ -L "$2" ] && [ "$1" != link ]; then
    refuse target "$2 is a symbolic link to $(readlink "$2"); put a file in its place or remove it"
  elif [ -e "$2" ] && [ ! -f "$2" ]; then
    refuse target "$2 is neither a file nor a link"
  fi
}

# state_of ROLE PATH MODE FUNCTION: same, new or changed.
state_of() {
  [ -e "$2" ] || [ -L "$2" ] || { echo new; return; }
  case $1 in
    link) [ -L "$2" ] && [ "$(readlink -f "$2")" = "$($4)" ] ;;
    client) has_mode "$2" "$3" && [ "$($4 | keys)" = "$(keys <"$2")" ] ;;
    *) has_mode "$2" "$3" && $4 | cmp -s - "$2" ;;
  esac && echo same || echo changed
}

has_mode() { [ "$(stat -c %a:%u:%g "$1")" = "$2:0:0" ]; }

# keys: of a client's file, what opens the gate.
keys() { grep -v '^#'; }

# client FUNCTION PATH: a client's file; the time of its making stays with it.
client_text() {
  created=$(sed -n 's/^# created \([0-9TZ:-]*\)$/\1/p' "$2" 2>/dev/null | head -n 1)
  "$1" | sed "s/^# created .*/# created ${created:-$NOW}/"
}

# each_wanted FUNCTION: FUNCTION ROLE PATH MODE CONTENT-FUNCTION STATE for every wanted file.
each_wanted() {
  while IFS='|' read -r role path mode content state; do
    [ -z "$role" ] || "$1" "$role" "$path" "$mode" "$content" "$state" || return 1
  done <<END
$WANTED
END
}

# write_beside ROLE PATH MODE CONTENT-FUNCTION STATE: the new file, whole and read back, beside its place.
write_beside() {
  [ "$5" != same ] && [ "$5" != gone ] || return 0
  new=$(new_of "$2")
  if [ "$1" = link ]; then
    ln -sfn "$($4)" "$new"
  else
    rm -f "$new" && $4 >"$new" && chmod "$3" "$new" && chown 0:0 "$new" && $4 | cmp -s - "$new" && FRESH="$FRESH $new"
  fi || { WHY="cannot write $new"; return 1; }
}

# swap ROLE PATH MODE CONTENT-FUNCTION STATE: the new file takes its place at once.
swap() {
  [ "$5" != same ] || return 0
  if [ "$5" = gone ]; then rm -f "$2"; else mv -fT "$(new_of "$2")" "$2"; fi || { WHY="cannot replace $2"; return 1; }
}
