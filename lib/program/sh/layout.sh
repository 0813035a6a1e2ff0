# shellcheck shell=sh
# Where the vhost and its maps can go, according to this nginx's include lines.
# Needs: CONF ELSEWHERE INCLUDES NGINX_DIR VERB
# Leaves: LINK LINK_DIR LINK_END MAP_DIR VHOST_DIR VHOST_ORDER

# check_layout: leaves in
#   LINK_DIR, LINK_END   sites-enabled, if it is used, and the required ending of names in it
#   VHOST_DIR, MAP_DIR   the folders of the files
#   VHOST_ORDER          the position of the vhosts in the whole configuration
check_layout() {
  find_folders
  [ -n "$MAP_DIR" ] || is_optional || refuse_layout
  MAP_DIR=${MAP_DIR:-$NGINX_DIR/conf.d}
  if [ -n "$LINK_DIR" ]; then
    VHOST_DIR=${LINK_DIR%/*}/sites-available VHOST_ORDER=$link_order
    # If one of them links to the other, there is nothing to link.
    if [ -L "$LINK_DIR" ] || [ -L "$VHOST_DIR" ]; then
      [ "$(readlink -f "$LINK_DIR")" != "$(readlink -f "$VHOST_DIR")" ] || { VHOST_DIR=$LINK_DIR LINK_DIR=''; }
    fi
  else
    VHOST_DIR=$MAP_DIR VHOST_ORDER=$map_order
  fi
}

# is_optional: does this verb work without such a folder? (It only reads or removes.)
is_optional() { case $VERB in remove | status) ;; *) return 1 ;; esac; }

# find_folders: of the folders that http includes, the one for the vhosts' links and the best one for everything else.
find_folders() {
  LINK_DIR='' LINK_END='' MAP_DIR='' map_order='' link_order='' best=9
  while read -r order pattern end; do
    folder=${pattern%/*}
    case $folder:$end in
      *: | *:-) continue ;;
      */sites-enabled:.conf) [ "$LINK_END" = .conf ] || use_links ;;
      */sites-enabled:*) [ -n "$LINK_DIR" ] || use_links ;;
      *:.conf) ! is_better || MAP_DIR=$folder map_order=$order best=$rank ;;
    esac
  done <<END
$INCLUDES
END
}

use_links() { LINK_DIR=$folder LINK_END=$end link_order=$order; }

# is_better: prefers conf.d; a folder outside of nginx's own must belong to root.
is_better() {
  case $folder in
    "$NGINX_DIR/conf.d") rank=1 ;;
    */conf.d | */http.d) rank=2 ;;
    "$NGINX_DIR"/*) rank=3 ;;
    *) rank=4 ;;
  esac
  case $folder in "$NGINX_DIR"/*) ;; *) [ -d "$folder" ] && [ -O "$folder" ] || return 1 ;; esac
  [ "$rank" -lt "$best" ]
}

# link_of VHOST: leaves in LINK the path by which nginx reads the vhost with that file name.
link_of() {
  if [ -n "$LINK_DIR" ]; then LINK=$LINK_DIR/${1%.conf}$LINK_END; else LINK=$VHOST_DIR/$1; fi
}

refuse_layout() {
  found=$(printf '%s' "$INCLUDES" | cut -d ' ' -f 2 | tr '\n' ' ')
  other=$(printf '%s' "$ELSEWHERE" | sed 's/^\([^ ]*\) \(.*\)$/\2 (in \1)/' | tr '\n' ' ')
  refuse layout "the http block of $CONF includes no folder for the maps of a site: it includes ${found:-nothing }${other:+and, where it does not help, $other}" \
    "Add to the http block of $CONF: \`include $NGINX_DIR/conf.d/*.conf;\`"
}
