# shellcheck shell=sh
# Verb http_only: the vhost that answers the CA's challenge and nothing else, by the same change as any other.

http_only() { apply; }
