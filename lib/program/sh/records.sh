# shellcheck shell=sh
# How records and planned changes reach a script: unchanged. (A bundle formats them for people: bundle.sh.)
# Needs: RECORD TAB

# show_record KIND [FIELD…]: a closed connection does not matter.
show_record() { printf '%s\n' "$RECORD" 2>/dev/null || :; }

# show_file ROLE PATH MODE CONTENT-FUNCTION STATE: the current and the new content, without secrets.
show_file() {
  [ "$5" != same ] || return 0
  if [ -L "$2" ]; then
    readlink "$2" | show "before$TAB$2"
  elif [ -f "$2" ]; then
    shown "$1" "${2##*/}" <"$2" | show "before$TAB$2"
  fi
  [ "$5" = gone ] || $4 | shown "$1" "${2##*/}" | show "after$TAB$2"
}

show() { while IFS= read -r line; do say "$1" "$line"; done; }
