# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Verb bundle: apply, from a file that other tools bring here. It makes its own run id, for it may run many times, and
# tells people what it does, for nobody reads its records.

# The name that the first stage was started by: the file, or a shell that reads it from stdin; then its arguments.
BUNDLE=${1-} HELP='' UNKNOWN=''
[ $# -eq 0 ] || shift
for argument; do
  case $argument in
    --dry-run) DRY=yes ;;
    --help | -h) HELP=yes ;;
    *) UNKNOWN=yes ;;
  esac
done

bundle() {
  VERB=apply
  [ -z "$UNKNOWN" ] || give_up 'unexpected argument; a bundle takes --dry-run and --help' 2
  [ -z "$HELP" ] || { usage; exit 0; }
  [ "$(id -u)" -eq 0 ] || give_up "must be run as root (sudo sh ${BUNDLE##*/})"
  is_whole || give_up "$BUNDLE is damaged or cut"
  NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  RUN=$(printf '%s' "$NOW" | tr -d ':-')-$(od -A n -N 3 -t x1 /dev/urandom | tr -d ' \n')
  apply
}

# give_up TEXT [STATUS]
give_up() { echo "gatepost: $1; nothing was done" >&2; exit "${2:-1}"; }

usage() {
  cat <<END
Puts $SITE on this machine, or does nothing. Run as root.

sh FILE [--dry-run]
sh -s -- [--dry-run] <FILE

  --dry-run  show what would change, change nothing
  --help     this text

Exit status: 0 done, 1 refused or rolled back, 2 usage, 5 rollback failed.
END
}

# is_whole: the first stage has proven what is inside; of a file, every other byte is proven here.
is_whole() {
  started=${BUNDLE##*/}
  # A login shell has a hyphen before its name.
  case ${started#-} in sh | dash | bash | ash | busybox | ksh) return 0 ;; esac
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
    outcome) tell "gatepost: $SITE on $(uname -n): $(in_words "$2")" ;;
  esac
}

tell() { printf '%s\n' "$1" 2>/dev/null || :; }

in_words() {
  case $1 in
    planned) if settled; then echo unchanged; else echo 'planned; nothing was changed'; fi ;;
    *) echo "$1" ;;
  esac
}

# show_file ROLE PATH MODE CONTENT-FUNCTION STATE: for people a diff, without secrets, where this host has diff.
show_file() {
  [ "$5" != same ] && command -v diff >/dev/null || return 0
  after=
  [ "$5" = gone ] || after=$($4 | redact)
  if [ -L "$2" ]; then
    differ "$2" "$(readlink "$2")"
  elif [ -f "$2" ]; then
    differ "$2" "$(redact <"$2")"
  else
    lines "$after" | diff -u -L /dev/null -L "$2" /dev/null - || :
  fi
}

# differ PATH TEXT: from TEXT to what is left in `after`; no file is written for it.
differ() {
  lines "$after" | diff -u -L "$1" -L "$1" /dev/fd/3 - 3<<END || :
$2
END
}

lines() { [ -z "$1" ] || printf '%s\n' "$1"; }
