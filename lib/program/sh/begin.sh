# shellcheck shell=sh
# What the verbs that change something have in common: how they begin, and how they end. With DRY they only tell.

DRY=

begin() {
  [ -z "$DRY" ] || { step survey; return; }
  take_lock
  claim_run
  trap ended EXIT
  trap 'exit 1' TERM INT
  recover
  step survey
}

# carry_out FUNCTION: makes the change, unless FUNCTION says that there is nothing to do.
carry_out() {
  [ -z "$DRY" ] || { say_gate; show_change; }
  ! "$1" || { say_gate; finish unchanged "$LIVE"; }
  change
  say_gate
  finish applied "$LIVE"
}
