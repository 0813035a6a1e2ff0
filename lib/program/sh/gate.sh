# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Whether the gate accepts anyone: without a client it fails closed, and refuses every request.

LIVE=0 # the exit status of a change that is live; 3 where nobody gets through

SHUT="no client in $CLIENTS: the gate refuses every request with 401; add a client, or set the token and deploy"

# say_gate: fact clients none, where the gate is here and no client is, or (WANTED) will be. Costs nothing where one is.
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

# has_line: is there anything but comments on stdin? A client that somebody wrote by hand counts, whatever its form.
has_line() {
  while read -r word rest || [ -n "$word" ]; do
    case $word in '' | '#'*) ;; *) return 0 ;; esac
  done
  return 1
}

# has_gate: does nginx read the clients' files here?
has_gate() { grep -qsF "include $CLIENTS/" "$NGINX_DIR"/conf.d/*.conf; }
