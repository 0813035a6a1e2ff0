# shellcheck shell=sh
# The site's certificate on this host: what it is, who renews it, and what nginx does after a renewal.
# Needs: CHAIN KEY LETSENCRYPT NEW WHY
# Leaves: HOOK TEST

HOOK=$LETSENCRYPT/renewal-hooks/deploy/gatepost-reload-nginx

# say_certificate: the certificate itself (it is public), whether its key is there (yes, or other: not its own), and who
# renews it.
say_certificate() {
  [ ! -s "$KEY" ] || { is_pair && say fact key yes; } || say fact key other
  if [ -s "$CHAIN" ]; then
    say certificate new
    sed -n '/^-----BEGIN CERT/,/^-----END CERT/p' "$CHAIN" | head -n 400 | while IFS= read -r line; do say certificate "$line"; done
  fi
  say_renewal
}

# is_pair: is the key the certificate's own, as far as can be told?
is_pair() {
  [ -s "$CHAIN" ] && command -v openssl >/dev/null || return 0
  [ "$(openssl x509 -in "$CHAIN" -noout -pubkey 2>/dev/null)" = "$(openssl pkey -in "$KEY" -pubout 2>/dev/null </dev/null)" ]
}

# say_renewal: how certbot renews it; of another lineage, which the site only uses, its name.
say_renewal() {
  renewed=$(owner)
  [ -n "$renewed" ] && [ -e "$LETSENCRYPT/renewal/$renewed.conf" ] || return 0
  say fact renewed_by certbot
  if [ "$renewed" = "$(lineage)" ]; then
    say fact authenticator "$(setting_of authenticator)"
    say fact webroot "$(sed -n '/^\[\[webroot_map\]\]/,$p' "$(renewal_file)" | setting_in "$renewed")"
  else
    say fact lineage "$renewed"
  fi
}

# say_renewing: is certbot started regularly here, and will nginx then serve what it brings?
say_renewing() {
  ! command -v certbot >/dev/null || say fact certbot yes
  say fact schedule "$(schedule)"
  if has_hook; then say fact hook yes; else say fact hook no; fi
}

# schedule: timer, cron or off. (Debian's cron line does nothing where systemd runs.)
schedule() {
  if command -v systemctl >/dev/null; then
    for unit in certbot.timer certbot-renew.timer snap.certbot.renew.timer; do
      [ "$(systemctl is-active "$unit" 2>/dev/null)" != active ] || { echo timer; return; }
    done
  fi
  if [ ! -d /run/systemd/system ] && grep -rqs '^[^#]*certbot' /etc/cron* /var/spool/cron; then echo cron; else echo off; fi
}

has_hook() { [ -x "$HOOK" ] && hook_text | cmp -s - "$HOOK"; }

# install_hook: certbot itself reloads nothing after a renewal.
install_hook() {
  [ -d "$LETSENCRYPT" ] || return 0
  ! has_hook || return 0
  stage_names "$HOOK"
  (umask 022 && mkdir -p "${HOOK%/*}") && write_file "$NEW" hook_text && chmod 755 "$NEW" && chown 0:0 "$NEW" &&
    hook_text | cmp -s - "$NEW" && mv -fT "$NEW" "$HOOK"
}

# serve_certificate: what was issued is served only after a reload.
serve_certificate() {
  step serve
  TEST=$(try_nginx -t) || fail serve "$TEST"
  reload_nginx || fail serve "$WHY"
}
