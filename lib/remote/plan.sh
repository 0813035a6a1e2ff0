# shellcheck shell=sh
# Verb plan: what apply would do, told and not done; nothing is written on this host.

plan() {
  step survey
  examine
  [ -z "$GENERATED" ] || note "the first deploy would generate a token for the client $GENERATED"
  each_wanted show_file
  finish planned 0
}

# show_file ROLE PATH MODE CONTENT-FUNCTION STATE: the file as it is and as it would be, without secrets.
show_file() {
  [ "$5" != same ] || return 0
  if [ -L "$2" ]; then
    readlink "$2" | show "before$TAB$2"
  elif [ -f "$2" ]; then
    redact <"$2" | show "before$TAB$2"
  fi
  [ "$5" = gone ] || $4 | redact | show "after$TAB$2"
}

show() { while IFS= read -r line; do say "$1" "$line"; done; }

# redact: every bearer on stdin gives way to its fingerprint.
redact() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      *[Bb][Ee][Aa][Rr][Ee][Rr]*\"*)
        head=$(printf '%s\n' "$line" | sed 's/\([Bb][Ee][Aa][Rr][Ee][Rr])\{0,1\}[ +*\\s]*\)[^"]*".*/\1/')
        rest=${line#"$head"}
        token=${rest%%\"*}
        bare=$(printf '%s' "$token" | sed 's/\\z$//; s/\$$//; s/\\//g')
        [ -z "$bare" ] || line="$head<sha256:$(printf '%s' "$bare" | sha256 | cut -c 1-12)>${rest#"$token"}"
        ;;
    esac
    printf '%s\n' "$line"
  done
}
