# shellcheck shell=sh
# Verb use_certificate: uses another certbot lineage that covers the site's name, such as a wildcard.
# Needs: CERTIFICATE CHAIN HOOK LETSENCRYPT SERVER_NAMES
# Leaves: WHY

use_certificate() {
  open_run
  settle_adoption
  live=${CHAIN%/*}
  WHY=$(unusable) && refuse unusable "$WHY"
  if [ "$(readlink "$live")" != "$CERTIFICATE" ]; then
    step link
    # Replaces nothing that is a certificate.
    [ ! -d "$live" ] || [ -L "$live" ] || rmdir "$live" 2>/dev/null || :
    ln -s "$CERTIFICATE" "$live" 2>/dev/null || refuse unusable "cannot link $live"
  fi
  install_hook || fail hook "cannot write $HOOK"
  ! survey || ! find_master || serve_certificate
  say_certificate
  say_renewing
  finish applied 0
}

# unusable: why the lineage cannot replace the site's own; fails if it can.
unusable() {
  [ -n "$(lineage)" ] || { echo "the vhost does not use a certificate of certbot, but $CHAIN"; return; }
  other=$LETSENCRYPT/live/$CERTIFICATE
  { [ -e "$LETSENCRYPT/renewal/$CERTIFICATE.conf" ] && [ -s "$other/fullchain.pem" ]; } || { echo "certbot has no certificate $CERTIFICATE"; return; }
  covers "$CERTIFICATE" || { echo "the certificate $CERTIFICATE does not cover $SERVER_NAMES, or ends within a day"; return; }
  is_pair "$other/fullchain.pem" "$other/privkey.pem" || { echo "the private key of $CERTIFICATE is missing or another one"; return; }
  [ "$(readlink "$live")" != "$CERTIFICATE" ] || return 1
  [ ! -L "$live" ] || { echo "$live is a symbolic link to $(readlink "$live")"; return; }
  [ -z "$(ls -A "$live" 2>/dev/null)" ] || { echo "$live holds a certificate of its own; to give it up, on the proxy, as root: \`cd $LETSENCRYPT && for d in live archive; do mv \$d/$(lineage) \$d/$(lineage).before; done; mv renewal/$(lineage).conf renewal/$(lineage).conf.before\`"; return; }
  return 1
}
