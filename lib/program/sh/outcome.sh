# shellcheck shell=sh
# Verb outcome: the outcome of the run ASKED, whose connection dropped. Rolls back what that run left unfinished; a run
# that has not begun by now never will.
# Needs: ASKED SITE STORE TAB

outcome() {
  locked
  recover
  log=$STORE/runs/$ASKED
  # The release proves the run, even if its log was deleted.
  if [ -n "$(find "$STORE/$SITE/releases" -name "*.$ASKED")" ]; then ended_as=applied; else ended_as=rolled-back; fi
  if [ ! -e "$log" ]; then
    true >"$log"
    [ "$ended_as" = applied ] || finish cancelled 0
  fi
  if ! grep -q "${TAB}outcome$TAB" "$log"; then
    printf '@%s\toutcome\t%s\t%s\n' "$ASKED" "$ended_as" "$ASKED" >>"$log"
  fi
  while IFS= read -r line; do say past "${line#"@$ASKED$TAB"}"; done <"$log"
  finish asked 0
}
