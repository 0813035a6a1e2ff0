# shellcheck shell=sh
# Verb self_signed: a certificate that this host signs itself; its key is generated here and never leaves.
# Needs: ALTERNATIVE_NAMES CHAIN COMMON_NAME DAYS KEY NEW
# Leaves: WHY

self_signed() {
  open_run
  settle_adoption
  command -v openssl >/dev/null || refuse openssl "openssl is not installed on this host"
  ! find_managed || refuse_for managed
  ! find_linked || refuse_for linked
  [ -z "$(lineage)" ] || [ ! -e "$(renewal_file)" ] || refuse managed "certbot renews $CHAIN; a self-signed certificate would take its place"
  ! find_lost || refuse_for lineage-names
  step sign
  stage_names "$CHAIN" && chain_new=$NEW
  stage_names "$KEY" && key_new=$NEW
  WHY=$(sign 2>&1) || { rm -f "$chain_new" "$key_new"; refuse sign "${WHY:-cannot write $CHAIN}"; }
  ! survey || ! find_master || serve_certificate
  say_certificate
  finish applied 0
}

# sign: keeps a usable key, so that the key of the served certificate is never missing; a new key is put in place first.
sign() {
  umask 077
  (umask 022 && mkdir -p "${CHAIN%/*}" "${KEY%/*}") || return 1
  key=$KEY
  if ! is_good_key; then
    key=$key_new
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key" </dev/null || return 1
  fi
  certificate_request | openssl req -x509 -new -sha256 -days "$DAYS" -key "$key" -config /dev/stdin -out "$chain_new" || return 1
  chmod 644 "$chain_new" && [ -s "$chain_new" ] || return 1
  sync_files "$key" "$chain_new"
  [ "$key" = "$KEY" ] || mv -fT "$key" "$KEY" || return 1
  chown 0:0 "$KEY" && chmod 600 "$KEY" && mv -fT "$chain_new" "$CHAIN"
}

is_good_key() {
  case $(openssl pkey -in "$KEY" -noout -text_pub 2>/dev/null </dev/null) in
    *prime256v1* | *secp384r1* | *secp521r1* | *ED25519* | *'Public-Key: ('[2-9][0-9][0-9][0-9]' bit'*) ;;
    *) return 1 ;;
  esac
}

# certificate_request: ignores the host's openssl.cnf, which may contradict it.
certificate_request() {
  cat <<END_OF_REQUEST
[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
[subject]
O = self-signed
CN = $COMMON_NAME
[extensions]
subjectAltName = $ALTERNATIVE_NAMES
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
END_OF_REQUEST
}
