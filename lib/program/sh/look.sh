# shellcheck shell=sh
# Verb look: what there is for TLS on this host; changes nothing.

look() {
  step look
  healthy=yes
  survey || healthy=no
  say fact nginx "$VERSION"
  say_vhost
  say_certificate
  say_obstacles
  say_renewing
  finish planned 0
}

# say_vhost: is the site's vhost there, on TLS, and does nginx accept what is there?
say_vhost() {
  for file in "$NGINX_DIR/sites-enabled/$SITE.conf" "$NGINX_DIR/conf.d/$SITE.conf"; do
    [ -f "$file" ] || continue
    if grep -q '^[^#]*ssl_certificate' "$file"; then state=tls; else state=http-only; fi
    [ "$healthy" = yes ] || state=broken
    say fact vhost "$state"
  done
}
