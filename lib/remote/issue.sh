# shellcheck shell=sh
# Verb issue: certbot's order (ORDER is new, rehearsal or none), the renewal hook, and the new certificate served.

# A dropped connection asks for the outcome for about 95 s: certbot ends before.
ORDER_LIMIT=80
CERTBOT_LOG=/var/log/letsencrypt/letsencrypt.log

issue() {
  take_lock
  claim_run
  trap 'finish failed 1' EXIT
  trap 'exit 1' TERM INT
  recover
  remove_challenge
  survey || :
  [ "$ORDER" = none ] || order
  install_hook || { say error hook; say text "cannot write $HOOK"; finish failed 1; }
  [ "$ORDER" = rehearsal ] || serve_certificate
  say_certificate
  say_renewing
  finish applied 0
}

order() {
  command -v certbot >/dev/null || refuse certbot-missing "there is no certbot on this host"
  [ "$ORDER" = rehearsal ] || adopt || refuse write "cannot prepare $LETSENCRYPT/live/$(lineage) for certbot"
  step order
  logged=$(stat -c '%i %s' "$CERTBOT_LOG" 2>/dev/null)
  words=$(ask_certbot 2>&1 </dev/null)
  status=$?
  [ "$status" -ne 0 ] || return 0
  forsake
  say error "$([ "$status" -lt 124 ] && echo order || echo order-timeout)"
  say_text text "${words:-certbot ended with status $status and said nothing}"
  said_by_ca
  finish failed 1
}

# said_by_ca: the CA's last problem (RFC 8555, 6.7) from certbot's log of this run; certbot may not tell it.
said_by_ca() {
  log_of_this_run | grep -oE '"(type|detail)": *"([^"\\]|\\.)*"' |
    grep -A 1 'urn:ietf:params:acme:error:' | tail -n 2 | sed 's/^[^:]*: *//' |
    while IFS= read -r line; do say text "the CA said: $line"; done
}

# log_of_this_run: certbot begins a new file, or goes on in the one that was there; or ends before it writes any.
log_of_this_run() {
  if [ "$(stat -c %i "$CERTBOT_LOG" 2>/dev/null)" = "${logged% *}" ]; then
    tail -c "+$((${logged#* } + 1))" "$CERTBOT_LOG"
  else
    cat "$CERTBOT_LOG"
  fi 2>/dev/null
}

# ask_certbot: what GATEPOST_RUN says to our hook is that this program holds the lock.
ask_certbot() {
  umask 022
  set -- --non-interactive --agree-tos --webroot --webroot-path "$WEBROOT" --cert-name "$(lineage)" --domain "$DOMAIN"
  if [ -n "$ACME_EMAIL" ]; then
    set -- "$@" --email "$ACME_EMAIL" --no-eff-email
  else
    set -- "$@" --register-unsafely-without-email
  fi
  if [ "$ORDER" = rehearsal ]; then set -- "$@" --dry-run; else set -- "$@" --server "$ACME_SERVER" --force-renewal; fi
  mkdir -p "$WEBROOT" && GATEPOST_RUN=$RUN timeout -k 5 "$ORDER_LIMIT" certbot certonly "$@"
}

# adopt: certbot never writes over files that it does not know. What somebody else put in its place becomes a lineage
# of its own, at no moment missing for nginx, so that the new certificate simply follows it.
adopt() {
  ADOPTED='' live=${CHAIN%/*} archive=$LETSENCRYPT/archive/$(lineage)
  [ ! -e "$(renewal_file)" ] || return 0
  if [ ! -s "$CHAIN" ] || [ ! -s "$KEY" ]; then
    set_aside "$live" && set_aside "$archive"
    return
  fi
  mkdir -p "$archive" "$LETSENCRYPT/renewal" && file_away || return 1
  for part in cert chain fullchain privkey; do
    put_link "$live/$part.pem" "../../archive/${archive##*/}/${part}1.pem" || return 1
  done
  renewal_text >"$archive/renewal.new" && ADOPTED=yes && mv -fT "$archive/renewal.new" "$(renewal_file)"
}

# set_aside DIRECTORY: what is no pair of certificate and key serves nobody, and would stop certbot.
set_aside() {
  [ -e "$1" ] || return 0
  rmdir "$1" 2>/dev/null || { note "$1 is moved to $1.before-$RUN" && mv -T "$1" "$1.before-$RUN"; }
}

# file_away: the present pair as certbot's number 1. (The links may lead here already: each is written beside first.)
file_away() {
  cat "$CHAIN" >"$archive/fullchain.new" && cat "$KEY" >"$archive/privkey.new" &&
    sed '/^-----END CERT/q' "$CHAIN" >"$archive/cert.new" && sed '1,/^-----END CERT/d' "$CHAIN" >"$archive/chain.new" || return 1
  for part in cert chain fullchain privkey; do mv -fT "$archive/$part.new" "$archive/${part}1.pem" || return 1; done
}

renewal_text() {
  echo "archive_dir = $archive"
  for part in cert privkey chain fullchain; do echo "$part = $live/$part.pem"; done
  printf '%s\n' '[renewalparams]' 'authenticator = webroot' "webroot_path = $WEBROOT," "server = $ACME_SERVER"
}

# forsake: the order failed, so certbot shall not take what was adopted for its own.
forsake() { [ -z "${ADOPTED:-}" ] || rm -f "$(renewal_file)"; }
