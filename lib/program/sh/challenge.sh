# shellcheck shell=sh
# Verbs challenge and end_challenge: a file where certbot will put its own, for a try from outside before the CA is asked.

challenge() {
  step challenge
  remove_challenge
  why=$({ (umask 022 && mkdir -p "$CHALLENGES") && (umask 022 && printf '%s\n' "$CHALLENGE_TEXT" >"$CHALLENGES/gatepost-$SITE~$CHALLENGE_NAME"); } 2>&1) ||
    { remove_challenge; refuse webroot "${why:-cannot write below $CHALLENGES}"; }
  finish planned 0
}

end_challenge() {
  remove_challenge
  finish planned 0
}
