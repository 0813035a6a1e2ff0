# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Verb bundle: apply, from a file that other tools bring here. It makes its own run id, for it may run many times, and
# tells people what it does, for nobody reads its records.

# The name that the first stage was started by: the file, or a shell that reads it from stdin.
BUNDLE=${1-}

bundle() {
  VERB=apply
  [ "$(id -u)" -eq 0 ] || give_up "must be run as root (sudo sh ${BUNDLE##*/})"
  is_whole || give_up "$BUNDLE is damaged or cut"
  NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  RUN=$(printf '%s' "$NOW" | tr -d ':-')-$(od -A n -N 3 -t x1 /dev/urandom | tr -d ' \n')
  apply
}

give_up() { echo "gatepost: $1; nothing was done" >&2; exit 1; }

# is_whole: the first stage has proven what is inside; of a file, every other byte is proven here.
is_whole() {
  case ${BUNDLE##*/} in sh | dash | bash | ash | busybox | ksh) return 0 ;; esac
  [ -f "$BUNDLE" ] && [ "$(sed '$d' "$BUNDLE" | sha256)" = "$(sed -n '$s/^# sha256 //p' "$BUNDLE")" ]
}

# say: to the run's log as ever; to people in words.
say() {
  [ -z "${LOG:-}" ] || { printf '@%s' "$RUN" && printf '\t%s' "$@" && echo; } >>"$LOG"
  case $1 in
    step | release | row | certificate | end) ;;
    fact) [ "$2 $3" != 'clients none' ] || tell "gatepost: $SHUT" ;;
    file) [ "$3" = same ] || tell "  $3 $2" ;;
    note) tell "  note: $2" ;;
    drift) tell "  $2 was $3 by hand since the last release" ;;
    error) tell "gatepost: failed ($2)" ;;
    text) shift && tell "  $*" ;;
    todo) shift && tell "  to do by hand: $*" ;;
    generated) tell "  the client $2 has the token of this bundle" ;;
    outcome) tell "gatepost: $SITE on $(uname -n): $2" ;;
  esac
}

tell() { printf '%s\n' "$1" 2>/dev/null || :; }
