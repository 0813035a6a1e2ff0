# shellcheck shell=sh
# Verb outcome: what became of the run ASKED, whose connection dropped. Puts right what it left unfinished; a run that has
# not begun by now never will.

outcome() {
  take_lock
  recover
  log=$STORE/runs/$ASKED
  if [ ! -e "$log" ]; then
    : >"$log"
    finish cancelled 0
  fi
  if ! grep -q "${TAB}outcome$TAB" "$log"; then
    ended_as=rolled-back
    [ -z "$(find "$STORE/$SITE/releases" -name "*.$ASKED")" ] || ended_as=applied
    printf '@%s\toutcome\t%s\t%s\n' "$ASKED" "$ended_as" "$ASKED" >>"$log"
  fi
  while IFS= read -r line; do say past "${line#"@$ASKED$TAB"}"; done <"$log"
  finish asked 0
}
