# shellcheck shell=sh
# Verbs challenge and end_challenge: a file where certbot will put its own, to fetch from outside before the order.
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

# remove_challenge: removes the file that was placed, and those that earlier runs left; other sites share the webroot.
remove_challenge() { rm -f "$CHALLENGES/$CHALLENGE_PREFIX"*; }
