# shellcheck shell=sh
# How every change begins and ends. With DRY, it is only shown, and nothing is written on this host.
# Needs: DRY GENERATED LIVE

begin() {
  [ -n "$DRY" ] || open_run
  step survey
}

# run_change FUNCTION: makes the change, unless FUNCTION finds nothing to do.
run_change() {
  [ -z "$DRY" ] || { say_gate; show_change; }
  ! "$1" || { say_gate; finish unchanged "$LIVE"; }
  change
  say_gate
  finish applied "$LIVE"
}

show_change() {
  [ -z "$GENERATED" ] || note "a new token would be generated for the client $GENERATED"
  each_wanted show_file
  finish planned 0
}
