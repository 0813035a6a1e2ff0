# shellcheck shell=sh
# Records, one per line: `@RUN`, a kind (lib/model/contract.ts), its fields, separated by tabs.
# Needs: FINGERPRINT_DIGITS RUN
# Leaves: LOG RECORD TAB

TAB='	' # a tab
# This run's log, once it is open (lock.sh).
LOG=''
# Removed by `finish`: drafts with tokens.
CLEANUP=''

# say KIND [FIELD…]: prints one record, to the run's log (in case the connection drops) and to the operator.
say() {
  RECORD="@$RUN"
  for field; do RECORD="$RECORD$TAB$field"; done
  [ -z "$LOG" ] || printf '%s\n' "$RECORD" >>"$LOG"
  show_record "$@"
}

# clock: leaves in CLOCK the time since boot, in hundredths of a second; empty if the kernel does not report it.
clock() {
  CLOCK=
  read -r up _ 2>/dev/null </proc/uptime || return 0
  CLOCK=${up%.*}${up#*.}
}

# step NAME: a step begins, and the previous one has ended.
step() { clock; say step "$1" "$CLOCK"; }

note() { say note "$1"; }

# say_error CODE TEXT: the step has failed; TEXT is the error, often another program's.
say_error() {
  clock
  say error "$1" "$CLOCK"
  say_text "$2"
}

# say_text TEXT: one record per line. (nginx quotes the key that it rejects.)
say_text() {
  printf '%s\n' "$1" | tail -n 40 | redact | while IFS= read -r line; do say text "$line"; done
}

# finish VERDICT STATUS: the last records. Without them, the run was cut short.
finish() {
  trap - EXIT
  [ -z "$CLEANUP" ] || rm -rf "$CLEANUP"
  clock
  say outcome "$1" "$RUN" "$CLOCK"
  say end
  exit "$2"
}

# fail CODE TEXT: a failure after a change that stays.
fail() { say_error "$1" "$2"; finish failed 1; }

# refuse CODE TEXT [FIX]: a failure before any change.
refuse() {
  say_error "$1" "$2"
  [ -z "${3-}" ] || say advice "$3"
  finish refused 1
}

# fingerprint: of the token on stdin.
fingerprint() { sum=$(sha256sum) && printf "%.${FINGERPRINT_DIGITS}s\n" "$sum"; }

# bare: a token as the client sends it, from a regex that matches it, or from a value in nginx's configuration.
bare() { sed 's/\\z$//; s/\$$//; s/\\//g; s/\${[a-z0-9_]*_dollar}/$/g'; }

# redact: stdin, with fingerprints instead of bearer tokens; no token becomes a command argument.
redact() {
  split_tokens | while IFS= read -r piece; do
    case $piece in
      token*) printf '<sha256:%s>' "$(printf '%s' "${piece#token}" | bare | fingerprint)" ;;
      text*) printf '%s' "${piece#text}" ;;
      end) echo ;;
    esac
  done
}

# split_tokens: splits each line into pieces, one per line: `text…`, `token…`, `end`. A token is the quoted text before
# a grant, or after `~^:` (clients.sh); and the text after the word bearer: in a quoted word that begins with it up to
# the quote, elsewhere (comments) anything as long as a token. A key, the beginning of a token, is left out. Anything
# that nginx quotes from a map or a client file may be a token, in any form.
split_tokens() {
  awk '
  / in \/[^ ]*(-http-maps\.conf|\.map):[0-9]+$/ && match($0, /".*"/) {
    word = substr($0, RSTART + 1, RLENGTH - 2); rest = substr($0, RSTART + RLENGTH)
    if (word !~ /^=/ && length(word) > 7 && !(word ~ /^[a-z_]+$/ && rest ~ /^ (directive|variable)/)) {
      print "text" substr($0, 1, RSTART); print "token" word; print "text\"" rest; print "end"
      next
    }
  }
  {
    rest = $0
    while (match(tolower(rest), /bearer\)?(\\s|\\ |[ +*])*|"=[^" \t]+("[ \t]+")?|"~\^:[^" \t]+|"[^" \t]+ (full|inference):/)) {
      found = substr(rest, RSTART, RLENGTH); head = substr(rest, 1, RSTART - 1); after = substr(rest, RSTART + RLENGTH)
      if (found ~ /^"=/) {
        rest = after; size = 0
        if (length(found) < 10) head = head found
        else if (found !~ /"$/) head = head "\"=<key>"
        else { head = head "\"=<key>\" \""; size = match(rest, /^[^" \t]+/) ? RLENGTH : 0 }
      } else if (found ~ /^"~/) {
        head = head "\"~^:"; rest = substr(found, 5) after; size = length(found) - 4
      } else if (found ~ /^"/) {
        head = head "\""; size = index(found, " ") - 2; rest = substr(found, 2) after
      } else {
        head = head found; rest = after
        if (match(tolower(head), /["\047][^ "\047]*bearer\)?(\\s|\\ |[ +*])*$/)) {
          size = index(rest, substr(head, RSTART, 1)) - 1
          if (size < 0) size = length(rest)
        } else {
          size = match(rest, /^[^ \t;)"\047]+/) ? RLENGTH : 0
          if (size < 16) size = 0
        }
      }
      print "text" head
      if (size) print "token" substr(rest, 1, size)
      rest = substr(rest, size + 1)
    }
    print "text" rest
    print "end"
  }'
}
