# shellcheck shell=sh
# The site's certificate on this host: its content, its renewal, and whether nginx is reloaded afterwards.
# Needs: CERTBOT CHAIN KEY LETSENCRYPT NEW NGINX RENEWER RENEWER_HOME WHY
# Leaves: HOOK TEST

HOOK=$LETSENCRYPT/renewal-hooks/deploy/gatepost-reload-nginx

# say_certificate: the certificate itself (it is public), whether its key is there (yes, or other: does not match), and
# who renews it.
say_certificate() {
  [ ! -s "$KEY" ] || { is_pair "$CHAIN" "$KEY" && say fact key yes; } || say fact key other
  if [ -s "$CHAIN" ]; then
    say certificate new
    sed -n '/^-----BEGIN CERT/,/^-----END CERT/p' "$CHAIN" | head -n 400 | while IFS= read -r line; do say certificate "$line"; done
  fi
  say_renewal
}

# is_pair CHAIN KEY: does the key match the certificate, as far as can be determined?
is_pair() {
  [ -s "$1" ] && command -v openssl >/dev/null || return 0
  [ "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" = "$(openssl pkey -in "$2" -pubout 2>/dev/null </dev/null)" ]
}

# say_renewal: who renews it; for certbot, how; and the lineage's name, if the site only uses another one.
say_renewal() {
  find_renewer
  [ -n "$RENEWER" ] || return 0
  say fact renewed_by "$RENEWER"
  [ "$RENEWER" = certbot ] || return 0
  if [ "$(owner)" = "$(lineage)" ]; then
    say fact authenticator "$(setting_of authenticator)"
    say fact webroot "$(sed -n '/^\[\[webroot_map\]\]/,$p' "$(renewal_file)" | setting_in "$(lineage)")"
  else
    say fact lineage "$(owner)"
  fi
}

# say_renewing: are renewals scheduled here, and will nginx then serve the new certificate?
say_renewing() {
  find_renewer
  ! find_certbot || say fact certbot "$CERTBOT"
  say fact schedule "$(schedule "${RENEWER:-certbot}")"
  if will_reload; then say fact hook yes; else say fact hook no; fi
}

# will_reload: acme.sh stores the reload command next to the certificate; lego gets it from the line that starts it.
will_reload() {
  case $RENEWER in
    acme.sh) grep -qs "^Le_ReloadCmd='..*'" "$RENEWER_HOME"/*.conf ;;
    lego) { cron_lines; service_lines lego; } | grep -q 'lego.*-hook' ;;
    *) has_hook ;;
  esac
}

has_hook() { [ -x "$HOOK" ] && hook_text | cmp -s - "$HOOK"; }

# hook_text: the hook, adapted to the nginx on this host.
hook_text() {
  if [ "$NGINX" = nginx ]; then
    content_0
  else
    content_0 | sed "s|nginx -t -q|$NGINX -t -q|; s|^  nginx -s|  $NGINX -s|; s|-v nginx|-v ${NGINX%% *}|"
  fi
}

# install_hook: certbot itself does not reload nginx after a renewal.
install_hook() {
  [ -d "$LETSENCRYPT" ] || return 0
  ! has_hook || return 0
  stage_names "$HOOK"
  (umask 022 && mkdir -p "${HOOK%/*}") && write_file "$NEW" hook_text && chmod 755 "$NEW" && chown 0:0 "$NEW" &&
    hook_text | cmp -s - "$NEW" && mv -fT "$NEW" "$HOOK"
}

# serve_certificate: nginx serves a new certificate only after a reload.
serve_certificate() {
  step serve
  TEST=$(try_nginx -t) || fail serve "$TEST"
  { reload_nginx && await_old_master; } || fail serve "$WHY"
}
