# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Verb plan, and every verb with DRY: the change is told and not made; nothing is written on this host.

plan() {
  DRY=yes
  apply
}

show_change() {
  [ -z "$GENERATED" ] || note "the client $GENERATED would get a new token"
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
