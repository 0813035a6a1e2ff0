# shellcheck shell=sh disable=SC2034 # the parts share their variables
# What the program tells the operator: records of tab-separated fields, each led by the run's id.

TAB='	' # a tab
NL='
'

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

# say_text KIND TEXT: another program's words, a record a line. (nginx quotes the key that it does not like.)
say_text() {
  printf '%s\n' "$2" | tail -n 40 | redact | while IFS= read -r line; do say "$1" "$line"; done
}

sha256() { sha256sum | cut -d ' ' -f 1; }

# redact: every bearer on stdin gives way to its fingerprint; no token becomes an argument.
redact() {
  split_bearers | while IFS= read -r piece; do
    case $piece in
      token*) printf '<sha256:%s>' "$(printf '%s' "${piece#token}" | bare | sha256 | cut -c 1-12)" ;;
      text*) printf '%s' "${piece#text}" ;;
      end) echo ;;
    esac
  done
}

# bare: a token as the client sends it, from a regex that matches it.
bare() { sed 's/\\z$//; s/\$$//; s/\\//g'; }

# split_bearers: each line in pieces, one a line: `text…`, `token…`, `end`. A token is what follows the word bearer: in a
# quoted word that begins with it up to the quote, elsewhere (comments) whatever is as long as a token.
split_bearers() {
  awk '{
    rest = $0
    while (match(tolower(rest), /bearer\)?(\\s|\\ |[ +*])*/)) {
      head = substr(rest, 1, RSTART + RLENGTH - 1)
      rest = substr(rest, RSTART + RLENGTH)
      if (match(tolower(head), /["\047][^ "\047]*bearer\)?(\\s|\\ |[ +*])*$/)) {
        size = index(rest, substr(head, RSTART, 1)) - 1
        if (size < 0) size = length(rest)
      } else {
        size = match(rest, /^[^ \t;)"\047]+/) ? RLENGTH : 0
        if (size < 16) size = 0
      }
      print "text" head
      if (size) print "token" substr(rest, 1, size)
      rest = substr(rest, size + 1)
    }
    print "text" rest
    print "end"
  }'
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
