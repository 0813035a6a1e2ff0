# shellcheck shell=sh
# Whether the gate accepts anyone: without a client it fails closed, and refuses every request.
# Needs: CLIENTS LAST NGINX_DIR NL VERB WANTED
# Leaves: LIVE

LIVE=0 # the exit status of a change that is live; 3 where no client is accepted

# say_gate: fact clients none, where the gate is here and no client is, or (WANTED) will be. Cheap where there is one.
say_gate() {
  case $VERB in
    apply | plan | rollback | status) ;;
    *) return 0 ;;
  esac
  ! is_shut || { LIVE=3 && say fact clients none; }
}

is_shut() {
  [ -n "$CLIENTS" ] || return 1
  case $NL$WANTED in *"${NL}client|"*) return 1 ;; esac
  for path in "$CLIENTS"/*.map; do
    [ ! -f "$path" ] || ! has_line <"$path" || return 1
  done
  has_gate
}

# has_line: is there anything but comments on stdin? A client that was written by hand in any form counts.
has_line() {
  while read -r word _ || [ -n "$word" ]; do
    case $word in '' | '#'*) ;; *) return 0 ;; esac
  done
  return 1
}

# has_gate: does nginx read the clients' files here?
has_gate() { is_in_maps "include $CLIENTS/"; }

# is_in_maps TEXT: in those that the last release has, or that were installed by hand.
is_in_maps() {
  text=$1
  set -- "$NGINX_DIR"/conf.d/*.conf
  [ -z "$LAST" ] || while read -r role path _; do [ "$role" != map ] || set -- "$@" "$path"; done <"$LAST/state"
  grep -qsF "$text" "$@"
}
