# shellcheck shell=sh
# Verb apply: the site's files onto this host.

apply() {
  take_lock
  claim_run
  trap ended EXIT
  trap 'exit 1' TERM INT
  recover
  step survey
  examine
  ! settled || finish unchanged 0
  change
  finish applied 0
}
