# shellcheck shell=sh
# Who renews the certificate, how, and when: certbot from a package, snap, pip or a virtual environment; acme.sh; lego.
# Needs: CHAIN LETSENCRYPT SERVER_NAMES SUDO_COMMAND SUDO_UID SUDO_USER
# Leaves: ADVICE CERTBOT RENEWER RENEWER_HOME UNTRUSTED WHY

# find_certbot: leaves in CERTBOT the one to run: from PATH, from the folders of snap, pip and virtual environments, or
# from a timer or a cron line. UNTRUSTED is one that is not run as root, because other users can change it.
find_certbot() {
  CERTBOT=$(command -v certbot) UNTRUSTED=''
  [ -z "$CERTBOT" ] || return 0
  for path in $(certbot_paths); do
    if [ ! -f "$path" ] || [ ! -x "$path" ]; then continue; fi
    if is_trusted "$path"; then CERTBOT=$path && return; fi
    UNTRUSTED=${UNTRUSTED:-$path}
  done
  return 1
}

certbot_paths() {
  echo /snap/bin/certbot /opt/certbot/bin/certbot /root/.local/bin/certbot
  [ -z "${SUDO_USER:-}" ] || awk -F : -v user="$SUDO_USER" '$1 == user { print $6 "/.local/bin/certbot" }' /etc/passwd
  { cron_lines; service_lines certbot; } | grep -oE '/[A-Za-z0-9._/-]+/certbot([^A-Za-z0-9._/-]|$)' | sed 's/[^a-z]$//' | sort -u
}

# is_trusted PATH: can only root change it, or a login user who may run a root shell anyway?
is_trusted() {
  [ -n "$(find -L "$1" -prune -user 0 ! -perm -020 ! -perm -002)" ] ||
    { [ "${SUDO_COMMAND:-}" = '/bin/sh -s' ] && [ -n "$(find -L "$1" -prune -user "${SUDO_UID:-0}" ! -perm -020 ! -perm -002)" ]; }
}

# is_address: is the site's name an IPv4 address?
is_address() { case $SERVER_NAMES in '' | *[!0-9.]*) return 1 ;; esac; }

# find_too_old: is the name an address, and certbot too old to request a certificate for one by webroot? (The option
# exists since 5.3, for webroot since 5.4.) Leaves WHY and ADVICE.
find_too_old() {
  is_address || return 1
  if find_certbot; then
    version=$("$CERTBOT" --version 2>&1 </dev/null | sed -n 's/^certbot \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    is_for_addresses "$version" && return 1
    WHY="the certificate is for the address $SERVER_NAMES, and certbot on the proxy, $CERTBOT, is version ${version:-unknown}"
    first="Remove the old one by its own means (a package: \`apt remove certbot\`, which keeps /etc/letsencrypt), then install"
  else
    WHY="the certificate is for the address $SERVER_NAMES, and certbot is not installed on the proxy"
    first='Install'
  fi
  ADVICE="$first certbot 5.4 or newer: $(on_proxy 'python3 -m venv /opt/certbot && /opt/certbot/bin/pip install "certbot>=5.4"') For a certificate that the proxy signs itself: --self-signed."
}

# is_for_addresses VERSION
is_for_addresses() {
  IFS=. read -r major minor _ <<END
${1:-0}.0.0
END
  [ $((major * 1000 + minor)) -ge 5004 ]
}

# find_renewer: leaves in RENEWER what renews the certificate at CHAIN: certbot, acme.sh, lego, or nothing known; in
# RENEWER_HOME the data folder of the latter two.
find_renewer() {
  RENEWER='' RENEWER_HOME=''
  if [ -n "$(owner)" ] && [ -e "$LETSENCRYPT/renewal/$(owner).conf" ]; then RENEWER=certbot; return; fi
  [ -s "$CHAIN" ] || return 0
  for file in /root/.acme.sh/*/fullchain.cer /home/*/.acme.sh/*/fullchain.cer /etc/acme.sh/*/fullchain.cer /opt/acme.sh/*/fullchain.cer \
    /root/.lego/certificates/*.crt /home/*/.lego/certificates/*.crt /etc/lego/certificates/*.crt /var/lib/lego/certificates/*.crt /opt/lego/certificates/*.crt; do
    cmp -s "$file" "$CHAIN" || continue
    case $file in */fullchain.cer) RENEWER=acme.sh ;; *) RENEWER=lego ;; esac
    RENEWER_HOME=${file%/*}
    return
  done
}

# starts NAME: a regular expression for the lines that start its renewals.
starts() {
  case $1 in
    acme.sh) echo 'acme\.sh' ;;
    *) echo "$1.*renew" ;;
  esac
}

# schedule NAME: how its renewals are scheduled here: timer, cron or off.
schedule() {
  if has_timer "$1"; then
    echo timer
  elif cron_lines | grep -qE "$(starts "$1")"; then
    echo cron
  else
    echo off
  fi
}

has_timer() {
  command -v systemctl >/dev/null || return 1
  case $1 in certbot) is_active certbot certbot-renew snap.certbot.renew && return ;; esac
  for unit in $(services | xargs -r grep -lsE "^ExecStart=.*$(starts "$1")" | sed 's#.*/##; s/\.service$//' | sort -u); do
    ! is_active "$unit" || return 0
  done
  return 1
}

# is_active NAME…: is one of these timers active?
is_active() {
  for unit; do
    [ "$(systemctl is-active "$unit.timer" 2>/dev/null)" != active ] || return 0
  done
  return 1
}

service_lines() { services | xargs -r grep -hs "^ExecStart=.*$1"; }
services() { find /etc/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system -maxdepth 1 -name '*.service' 2>/dev/null; }

# cron_lines: everything that cron starts, without comments. (Debian's line for certbot does nothing under systemd.)
cron_lines() {
  lines=$(grep -rhsv '^[[:space:]]*#' /etc/crontab /etc/anacrontab /etc/cron.* /etc/crontabs /etc/periodic /var/spool/cron)
  if [ -d /run/systemd/system ]; then
    printf '%s\n' "$lines" | grep -v 'd /run/systemd/system'
  else
    printf '%s\n' "$lines"
  fi
}
