# shellcheck shell=sh
# Verb bundle: apply, from a file that other tools copy to this host. It creates its own run id, because it may run
# several times, and prints its records and changes for people.
# Needs: CLIENTS PUBLIC_NAME
# Leaves: DRY NOW RUN VERB

# $0 and the arguments of the first stage: the file, or the shell that reads it from stdin.
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
  is_whole || give_up "$BUNDLE is damaged or truncated"
  NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  RUN=$(printf '%s' "$NOW" | tr -d ':-')-$(od -A n -N 3 -t x1 /dev/urandom | tr -d ' \n')
  apply
}

# give_up TEXT [STATUS]
give_up() { echo "gatepost: $1; nothing was done" >&2; exit "${2:-1}"; }

usage() {
  cat <<END
Deploys $PUBLIC_NAME to this machine, or changes nothing. Run as root.

sh FILE [--dry-run]
sh -s -- [--dry-run] <FILE

  --dry-run  show what would change, change nothing
  --help     show this text

Exit status: 0 done, 1 refused or rolled back, 2 usage, 3 live but no client is accepted, 5 rollback failed.
END
}

# is_whole: the first stage has verified its own content; this verifies the rest of the file.
is_whole() {
  started=${BUNDLE##*/}
  # A login shell has a hyphen before its name.
  case ${started#-} in sh | dash | bash | ash | busybox | ksh) return 0 ;; esac
  [ -f "$BUNDLE" ] || return 1
  sum=$(sed '$d' "$BUNDLE" | sha256sum)
  [ "${sum%% *}" = "$(sed -n '$s/^# sha256 //p' "$BUNDLE")" ]
}

# show_record KIND [FIELD…]: for people.
show_record() {
  case $1:${2-}:${3-} in
    step:* | release:* | end:*) return 0 ;;
    fact:clients:none) shown="gatepost: no client in $CLIENTS: the gate rejects every request with 401; add one, or set the token and deploy" ;;
    fact:unseen:*) shown="gatepost: nginx's workers cannot see $3: the gate rejects every request with 401; chmod o+x the folders above it" ;;
    fact:selinux:*) shown='gatepost: SELinux is enforcing and httpd_can_network_connect is off: nginx reaches no backend; setsebool -P httpd_can_network_connect 1' ;;
    fact:default_server:*) shown="gatepost: no other vhost is the default server on $3: unknown names reach this site" ;;
    fact:* | row:* | file:*:same) return 0 ;;
    file:*) shown="  $3 $2" ;;
    drift:*) shown="  $2 was $3 by hand" ;;
    generated:*) shown="  the client $2 has the token of this bundle" ;;
    error:*) shown="gatepost: failed ($2)" ;;
    outcome:*) shown="gatepost: $PUBLIC_NAME on $(uname -n): $(in_words "$2")" ;;
    text:*) shift && shown="  $*" ;;
    *) shown="  $1: $2" ;;
  esac
  printf '%s\n' "$shown" 2>/dev/null || :
}

in_words() {
  case $1 in
    planned) if up_to_date; then echo unchanged; else echo 'planned; nothing was changed'; fi ;;
    *) echo "$1" ;;
  esac
}

# show_file ROLE PATH MODE CONTENT-FUNCTION STATE: a diff for people, without secrets, if this host has diff.
show_file() {
  [ "$5" != same ] && command -v diff >/dev/null || return 0
  after=
  [ "$5" = gone ] || after=$($4 | shown "$1" "${2##*/}")
  if [ -L "$2" ]; then
    differ "$2" "$(readlink "$2")"
  elif [ -f "$2" ]; then
    differ "$2" "$(shown "$1" "${2##*/}" <"$2")"
  else
    lines "$after" | diff -u -L /dev/null -L "$2" /dev/null - || :
  fi
}

# differ PATH TEXT: the diff from TEXT to `after`, without writing a file.
differ() {
  lines "$after" | diff -u -L "$1" -L "$1" /dev/fd/3 - 3<<END || :
$2
END
}

lines() { [ -z "$1" ] || printf '%s\n' "$1"; }
