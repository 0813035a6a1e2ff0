# shellcheck shell=sh
# Verb issue: orders a certificate with certbot (ORDER is new, rehearsal or none), installs the renewal hook, and serves
# the new certificate.
# Needs: ACME_EMAIL ACME_SERVER CERTBOT DOMAIN HOOK LETSENCRYPT ORDER OTHER_NAMES RUN WEBROOT

# After a dropped connection, the script queries the outcome for about 95 s: certbot must end before that.
ORDER_LIMIT=80
CERTBOT_LOG=/var/log/letsencrypt/letsencrypt.log

issue() {
  open_run
  settle_adoption
  remove_challenge
  survey || :
  [ "$ORDER" = none ] || order
  install_hook || fail hook "cannot write $HOOK"
  [ "$ORDER" = rehearsal ] || serve_certificate
  say_certificate
  say_renewing
  finish applied 0
}

order() {
  find_certbot || refuse certbot-missing "certbot is not installed on this host"
  ! find_too_old || refuse_for certbot-old
  ! find_managed || refuse_for managed
  ! find_linked || refuse_for linked
  ! find_impossible || refuse_for lineage-names
  [ "$ORDER" = rehearsal ] || import_lineage || { settle_adoption; refuse write "cannot prepare $LETSENCRYPT/live/$(lineage) for certbot"; }
  step order
  logged=$(stat -c '%i %s' "$CERTBOT_LOG" 2>/dev/null)
  words=$(ask_certbot 2>&1 </dev/null)
  status=$?
  settle_adoption
  [ "$status" -ne 0 ] || return 0
  words=${words:-certbot ended with status $status and printed nothing}
  unproven=$(unproven_names)
  if [ "$status" -ge 124 ]; then
    say_error order-timeout "$words"
  elif [ -n "$unproven" ]; then
    say_error lineage-name "the CA did not validate $unproven, which the certificate $(lineage) also names; it stays as it is, with all its names"
    say_text "$words"
  else
    say_error order "$words"
  fi
  said_by_ca
  finish failed 1
}

# unproven_names: the other names that the CA rejected, if it did not reject the site's own.
unproven_names() {
  refused=$(printf '%s\n' "$words" | sed -n 's/^ *Domain: *//p; s/^ *Identifier: *//p' | sort -u)
  [ -n "$OTHER_NAMES" ] && ! printf '%s\n' "$refused" | grep -qxF "$DOMAIN" || return 0
  printf '%s' "$refused" | tr '\n' ' ' | sed 's/ *$//'
}

# said_by_ca: the CA's last problem (RFC 8555, 6.7) in certbot's log of this run; certbot may not print it.
said_by_ca() {
  log_of_this_run | grep -oE '"(type|detail)": *"([^"\\]|\\.)*"' |
    grep -A 1 'urn:ietf:params:acme:error:' | tail -n 2 | sed 's/^[^:]*: *//' |
    while IFS= read -r line; do say text "the CA said: $line"; done
}

# log_of_this_run: certbot creates a new log file, appends to the existing one, or ends before it writes any.
log_of_this_run() {
  if [ "$(stat -c %i "$CERTBOT_LOG" 2>/dev/null)" = "${logged% *}" ]; then
    tail -c "+$((${logged#* } + 1))" "$CERTBOT_LOG"
  else
    cat "$CERTBOT_LOG"
  fi 2>/dev/null
}

# ask_certbot: GATEPOST_RUN tells our hook that this program holds the lock.
ask_certbot() {
  umask 022
  set -- --non-interactive --agree-tos --webroot --webroot-path "$WEBROOT" --cert-name "$(lineage)"
  # Let's Encrypt issues certificates for addresses only in this profile; other CAs may not know it.
  if is_address; then set -- "$@" --ip-address "$DOMAIN" --preferred-profile shortlived; else set -- "$@" --domain "$DOMAIN"; fi
  for name in $OTHER_NAMES; do set -- "$@" --webroot-path "$(webroot_of "$name")" --domain "$name"; done
  for moment in deploy pre post; do
    command=$(hook_of "$moment")
    [ -z "$command" ] || set -- "$@" "--$moment-hook" "$command"
  done
  ! has_setting reuse_key True || set -- "$@" --reuse-key
  # With several accounts, certbot would prompt; an order keeps the account of the certificate.
  ! has_setting server "$ACME_SERVER" || [ -z "$(setting_of account)" ] || set -- "$@" --account "$(setting_of account)"
  if [ -n "$ACME_EMAIL" ]; then
    set -- "$@" --email "$ACME_EMAIL" --no-eff-email
  else
    set -- "$@" --register-unsafely-without-email
  fi
  if [ "$ORDER" = rehearsal ]; then set -- "$@" --dry-run; else set -- "$@" --server "$ACME_SERVER" --force-renewal; fi
  # Python uses HOME to find packages that pip installed for one user.
  case $CERTBOT in */.local/bin/certbot) export HOME="${CERTBOT%/.local/bin/certbot}" ;; esac
  mkdir -p "$WEBROOT" && GATEPOST_RUN=$RUN timeout -k 5 "$ORDER_LIMIT" "$CERTBOT" certonly "$@"
}

# hook_of MOMENT: the lineage's own hook, which `certonly` would drop and other software may need. Pre and post hooks
# belong to the authenticator: those of standalone stop nginx.
hook_of() {
  [ -e "$(renewal_file)" ] || return 0
  case $1 in
    deploy) setting_of renew_hook ;;
    *) ! has_setting authenticator webroot || setting_of "$1_hook" ;;
  esac | grep -vx None
}

has_setting() { [ -e "$(renewal_file)" ] && [ "$(setting_of "$1")" = "$2" ]; }
