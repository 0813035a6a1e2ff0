# shellcheck shell=sh
# Verbs apply and http_only: the site's files onto this host.

apply() {
  begin
  examine
  carry_out settled
}

# http_only: only the vhost that answers the CA's challenge, by the same change as any other.
http_only() { apply; }
