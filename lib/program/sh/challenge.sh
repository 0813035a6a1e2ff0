# shellcheck shell=sh
# Verbs challenge and end_challenge: a file in certbot's challenge folder, to be requested from outside before the
# order.
# Needs: CHALLENGE_NAME CHALLENGE_PREFIX CHALLENGE_TEXT WEBROOT

CHALLENGES=$WEBROOT/.well-known/acme-challenge

challenge() {
  step challenge
  remove_challenge
  why=$({ (umask 022 && mkdir -p "$CHALLENGES") && (umask 022 && printf '%s\n' "$CHALLENGE_TEXT" >"$CHALLENGES/$CHALLENGE_PREFIX$CHALLENGE_NAME"); } 2>&1) ||
    { remove_challenge; refuse webroot "${why:-cannot write below $CHALLENGES}"; }
  finish planned 0
}

end_challenge() {
  remove_challenge
  finish planned 0
}

# remove_challenge: removes this file and those of earlier runs; other sites share the webroot.
remove_challenge() { rm -f "$CHALLENGES/$CHALLENGE_PREFIX"*; }
