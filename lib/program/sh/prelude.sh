# shellcheck shell=sh
# How every program begins, and gatepost-run: no signal of a dropped connection ends it, and nothing of the environment of
# whoever started it reaches what runs as root. (sudo's env_keep may hold HOME or XDG_CONFIG_HOME, by which certbot finds
# a configuration with hooks, or OPENSSL_CONF.)
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
# In ksh, the lock is closed for flock; a printf that is no builtin shows what it prints, tokens too, in the process list.
export PATH=/dev/null
if [ -n "${KSH_VERSION-}" ] || ! printf '' 2>/dev/null; then
  echo "gatepost: unsupported shell: /bin/sh is ${KSH_VERSION:-one without a builtin printf}; nothing was done" >&2
  exit 69
fi
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin HOME=~root
export LC_ALL PATH HOME
