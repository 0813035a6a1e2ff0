# shellcheck shell=sh
# The start of every program, and of gatepost-run: no signal of a dropped connection ends it, and it runs as root
# without the caller's environment. (sudo's env_keep may pass HOME or XDG_CONFIG_HOME, where certbot finds a
# configuration with hooks, or OPENSSL_CONF.)
trap '' HUP PIPE
while IFS= read -r line; do
  name=${line#export }
  name=${name%%=*}
  case $line:$name in
    'export '*:*[!A-Za-z0-9_]* | 'export '*:[0-9]* | *:UID | *:EUID | *:PPID | *:SHELLOPTS | *:BASHOPTS) ;;
    'export '*:?*) unset "$name" ;;
  esac
done <<END
$(export -p)
END
set -u
umask 077
# ksh would close the lock for flock; a printf that is not built in would show its arguments, including tokens, in the
# process list.
export PATH=/dev/null
if [ -n "${KSH_VERSION-}" ] || ! printf '' 2>/dev/null; then
  echo "gatepost: unsupported shell: /bin/sh is ${KSH_VERSION:-one without a builtin printf}; nothing was done" >&2
  exit 69
fi
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin HOME=~root
export LC_ALL PATH HOME
