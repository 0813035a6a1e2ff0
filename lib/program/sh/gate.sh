# shellcheck shell=sh
# The gate on this host: whether nginx has one in the current format, and whether it has live clients. Without any, it
# rejects every request.
# Needs: CLIENTS DOLLAR LAST LIVE_FILES LIVE_NEW LIVE_VARIABLE MASTER NGINX_DIR PID_FILE VERB WORKERS
# Leaves: LIVE UNSEEN

UNSEEN=
LIVE=0 # the exit status of an applied change; 3 if the gate accepts no client

# say_gate: fact clients none, if the gate is here but no token is or will be live; or fact unseen FILE, if nginx's workers
# cannot see the live files.
say_gate() {
  case $VERB in
    apply | plan | rollback | status) ;;
    *) return 0 ;;
  esac
  if is_shut; then
    LIVE=3 && say fact clients none
  elif is_hidden; then
    LIVE=3 && say fact unseen "$UNSEEN"
  fi
}

is_shut() { [ -n "$CLIENTS" ] && [ -z "$LIVE_NEW" ] && ! is_found alive && has_gate; }

# is_hidden: are the folder of live files, or nginx's own, closed to nginx's workers? Leaves one of the files in UNSEEN.
is_hidden() {
  [ -n "$CLIENTS" ] || return 1
  if is_passable "$NGINX_DIR" && is_passable "$LIVE_FILES"; then return 1; fi
  has_gate || return 1
  for path in "$LIVE_FILES"/*; do [ ! -f "$path" ] || break; done
  [ -f "$path" ] && is_unseen "$path"
}

# is_unseen FILE: can nginx's workers not see it? If that cannot be tested, assumes that they can.
is_unseen() {
  [ -n "${PID_FILE-}" ] || survey || :
  find_master && find_workers "$MASTER" || return 1
  pid=${WORKERS##* } UNSEEN=$1
  set -- "--reuid=$(id_in Uid)" "--regid=$(id_in Gid)"
  groups=$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
  groups=${groups% }
  if [ -n "$groups" ]; then
    set -- "$@" "--groups=$(printf '%s' "$groups" | tr ' ' ,)"
  else
    set -- "$@" --clear-groups
  fi
  setpriv "$@" test -d / 2>/dev/null && ! setpriv "$@" test -f "$UNSEEN"
}

# id_in NAME: the effective one of the worker.
id_in() { sed -n "s/^$1:[[:space:]]*[0-9]*[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$pid/status" 2>/dev/null; }

# has_gate: does nginx read the client files here?
has_gate() { is_in_maps "include $CLIENTS/"; }

# is_in_maps TEXT: does it occur in the maps of the last release, or in those that were installed by hand?
is_in_maps() {
  text=$1
  set -- "$NGINX_DIR"/conf.d/*.conf
  [ -z "$LAST" ] || while read -r role path _; do [ "$role" != map ] || set -- "$@" "$path"; done <"$LAST/state"
  grep -qsF "$text" "$@"
}

# is_today FILE: does it read lines in the current format?
is_today() { grep -qsF "geo \$$DOLLAR {" "$1"; }

# want_gate: replaces an earlier release's gate with the current one, including its test in the vhost.
want_gate() {
  is_in_maps "geo \$$DOLLAR {" || { check_layout && gate_files; }
  while read -r role path mode _; do
    [ "$role" != vhost ] || [ ! -f "$path" ] || grep -qF "$LIVE_FILES/" "$path" || add vhost "$path" "$mode" "with_live_test $path"
  done <"$LAST/state"
}

# with_live_test FILE: the vhost with a test for live tokens after the one for known tokens.
with_live_test() {
  if [ -z "$CLIENTS" ] || grep -qF "$LIVE_FILES/" "$1"; then
    cat "$1"
    return
  fi
  awk -v folder="$LIVE_FILES/" -v variable="$LIVE_VARIABLE" '
    { print }
    /^ *if \(\$[a-z0-9_]*_authorized != 1\) \{$/ { indent = $0; sub(/if.*/, "", indent); inside = 1 }
    inside && $0 == indent "}" { inside = 0; printf "%sopen_file_cache off;\n%sif (!-f %s$%s) {\n%s    return 401;\n%s}\n", indent, indent, folder, variable, indent, indent }' "$1"
}
