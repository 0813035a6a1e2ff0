# shellcheck shell=sh
# SELinux, which may block nginx's connections to backends.

# say_selinux: fact selinux off, if it is enforced and nginx may not connect to backends.
say_selinux() {
  command -v getenforce >/dev/null && [ "$(getenforce 2>/dev/null)" = Enforcing ] || return 0
  case $(getsebool httpd_can_network_connect 2>/dev/null) in *off*) say fact selinux off ;; esac
}
