# shellcheck shell=sh
# What the program tells the operator: records of tab-separated fields, each led by the run's id.

TAB=$(printf '\t')

# say KIND [FIELD…]: one record, to the run's log (for a connection that dropped) and to whoever listens.
say() {
  record="@$RUN"
  for field; do record="$record$TAB$field"; done
  [ -z "${LOG:-}" ] || printf '%s\n' "$record" >>"$LOG"
  # Nobody may be listening any more: that changes nothing.
  printf '%s\n' "$record" 2>/dev/null || :
}

step() { say step "$1"; }
note() { say note "$1"; }

# say_text KIND TEXT: another program's words, a record a line.
say_text() {
  printf '%s\n' "$2" | tail -n 40 | while IFS= read -r line; do say "$1" "$line"; done
}

# finish OUTCOME STATUS: the last words. A run without them did not end by itself.
finish() {
  trap - EXIT
  say outcome "$1" "$RUN"
  say end
  exit "$2"
}

# refuse CODE TEXT: before anything was changed.
refuse() {
  say error "$1"
  say_text text "$2"
  finish refused 1
}
