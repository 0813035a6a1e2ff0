# shellcheck shell=sh
# What an order or a self-signed certificate must not damage: other certificates that the site's paths link to, and
# other names in the site's own.
# Needs: CHAIN KEY LETSENCRYPT RENEWER RENEWER_HOME SERVER_NAMES UNTRUSTED WEBROOT
# Leaves: OTHER_NAMES WHY

WHY='' ADVICE='' OTHER_NAMES='' IMPOSSIBLE=''

# lineage: certbot's name for the certificate at CHAIN, if it is in certbot's folder.
lineage() {
  case $CHAIN in
    "$LETSENCRYPT"/live/*/fullchain.pem) name=${CHAIN#"$LETSENCRYPT/live/"} && printf '%s' "${name%/fullchain.pem}" ;;
  esac
}

# owner: the lineage that the certificate at CHAIN really belongs to, following links.
owner() {
  real=$(real_path "$CHAIN")
  case $real in
    "$(real_path "$LETSENCRYPT/live")"/*/* | "$(real_path "$LETSENCRYPT/archive")"/*/*)
      real=${real%/*} && printf '%s' "${real##*/}"
      ;;
    *) lineage ;;
  esac
}

renewal_file() { printf '%s/renewal/%s.conf' "$LETSENCRYPT" "$(lineage)"; }

# setting_of KEY: a value in the renewal configuration. (certbot quotes values with a comma or a quote.)
setting_of() { setting_in "$1" <"$(renewal_file)" | sed "s/^\\([\"']\\)\\(.*\\)\\1\$/\\2/"; }
setting_in() { sed -n "s/^$1 *= *//p" | tail -n 1; }

# blame WHAT: adds a reason to WHY.
blame() { WHY="${WHY:+$WHY; }$1"; }

# refuse_for CODE: refuses before any change, with the reasons in WHY and the commands in ADVICE.
refuse_for() { refuse "$1" "$WHY" "$ADVICE"; }

# find_linked: do paths that would be written link to another certificate? Leaves them in WHY, and in ADVICE the command
# that gives the site its own.
find_linked() {
  WHY='' ADVICE=''
  if [ -n "$(lineage)" ]; then
    find_linked_lineage
    [ -z "$WHY" ] || advise_own_lineage
  else
    for path in "$CHAIN" "$KEY"; do
      blame_link "${path%/*}"
      blame_link "$path"
    done
    [ -z "$WHY" ] || advise_own_files
  fi
  [ -n "$WHY" ]
}

blame_link() { [ ! -L "$1" ] || blame "$1 is a symbolic link to $(readlink "$1")"; }

find_linked_lineage() {
  own=$(lineage) conf=$(renewal_file)
  live=$LETSENCRYPT/live/$own archive=$LETSENCRYPT/archive/$own
  for path in "$live" "$archive" "$conf"; do blame_link "$path"; done
  find_own_folders
  find_users
  [ -z "$WHY" ] || return 0
  for path in "$CHAIN" "$KEY" "$live/cert.pem" "$live/chain.pem"; do
    is_in_lineage "$path" || { blame "$path leads to $(real_path "$path")"; return; }
  done
  [ -e "$conf" ] || return 0
  for key in archive_dir cert privkey chain fullchain; do
    value=$(setting_of "$key")
    [ -z "$value" ] || is_in_lineage "$value" || blame "$conf names $value"
  done
}

# real_path PATH: its target, even if nothing exists there.
real_path() { readlink -f "$1" || readlink "$1" || printf '%s\n' "$1"; }

# find_own_folders: the two folders with this lineage's files; an archive that was moved out of /etc/letsencrypt counts.
find_own_folders() {
  OWN_LIVE=$(real_path "$LETSENCRYPT/live")/$own
  OWN_ARCHIVE=$(real_path "$LETSENCRYPT/archive")/$own
  [ -e "$conf" ] || return 0
  moved=$(setting_of archive_dir)
  moved=$(real_path "${moved:-$OWN_ARCHIVE}")
  case $moved/ in
    "$(real_path "$LETSENCRYPT")"/* | "${OWN_LIVE%/*}"/* | "${OWN_ARCHIVE%/*}"/*) ;;
    *) OWN_ARCHIVE=$moved ;;
  esac
}

# is_in_lineage PATH: is it, following links, in this lineage's folders (or does it not exist yet)?
is_in_lineage() {
  case $(real_path "$1")/ in
    "$OWN_LIVE"/* | "$OWN_ARCHIVE"/* | "$live"/* | "$archive"/*) ;;
    *) return 1 ;;
  esac
}

# find_users: another lineage that certbot stores in this one's archive.
find_users() {
  user=$(grep -ls "^archive_dir *= *\\($archive\\|$OWN_ARCHIVE\\)/*\$" "$LETSENCRYPT"/renewal/*.conf | grep -vxF "$conf" | head -n 1)
  [ -z "$user" ] || blame "$user names $OWN_ARCHIVE for another certificate"
}

# advise_own_lineage: copies the targets of the links, so that they are never missing, and keeps the originals.
# (`certbot delete` would remove the other certificate's files.)
advise_own_lineage() {
  if [ -n "$user" ]; then
    ADVICE="Give that certificate an archive of its own. $(on_proxy "mv $OWN_ARCHIVE $OWN_ARCHIVE.other && sed -i 's|^archive_dir.*|archive_dir = $OWN_ARCHIVE.other|' $user && certbot update_symlinks")"
    return
  fi
  steps="cd $LETSENCRYPT"
  if [ -s "$CHAIN" ] && [ -s "$KEY" ]; then
    steps="$steps && cp -RL live/$own live/$own.own && rm -r live/$own && mv live/$own.own live/$own"
  elif [ -e "$live" ] || [ -L "$live" ]; then
    steps="$steps && mv live/$own live/$own.before"
  fi
  for path in "renewal/$own.conf" "archive/$own"; do
    [ ! -e "$LETSENCRYPT/$path" ] && [ ! -L "$LETSENCRYPT/$path" ] || steps="$steps && mv $path $path.before"
  done
  ADVICE="To use that other certificate, leave all as it is: it is renewed under its own name. For one of the site's own: $(on_proxy "$steps")"
}

advise_own_files() {
  steps=
  for path in "${CHAIN%/*}" "${KEY%/*}" "$CHAIN" "$KEY"; do
    [ ! -L "$path" ] || case "$steps " in *"mv ${path%/*} "* | *"mv $path "*) ;; *) steps="${steps:+$steps && }mv $path $path.before" ;; esac
  done
  ADVICE="To use those files, leave all as it is. For the site's own: $(on_proxy "$steps")"
}

# on_proxy COMMAND: the instruction for people.
on_proxy() { printf "on the proxy, as root: \`%s\`; then run the same command again." "$1"; }

# find_names: the other names of the certificate that an order would replace: in OTHER_NAMES those that it can keep, in
# IMPOSSIBLE those that no webroot can prove. Fails if they cannot be determined.
find_names() {
  OTHER_NAMES='' IMPOSSIBLE=''
  { [ -n "$(lineage)" ] && { [ -s "$CHAIN" ] || [ -e "$(renewal_file)" ]; }; } || return 0
  command -v openssl >/dev/null || return 1
  names=$(names_to_keep)
  [ -n "$names" ] || [ ! -e "$(renewal_file)" ] || return 1
  while IFS= read -r name; do
    case $name in
      '' | "dns:$SERVER_NAMES" | "ip address:$SERVER_NAMES") ;;
      dns:*[!a-z0-9._-]* | dns:[!a-z0-9]* | dns:*[!a-z0-9]) impossible "${name#dns:}" ;;
      dns:*.*) case " $OTHER_NAMES " in *" ${name#dns:} "*) ;; *) OTHER_NAMES="$OTHER_NAMES ${name#dns:}" ;; esac ;;
      *) impossible "${name#*:}" ;;
    esac
  done <<END
$names
END
}

impossible() { IMPOSSIBLE="$IMPOSSIBLE${IMPOSSIBLE:+, }$1"; }

# names_in FILE: its alternative names, one per line, in openssl's format: `dns:NAME`, `ip address:ADDRESS`.
names_in() {
  openssl x509 -in "$1" -noout -text 2>/dev/null | sed -n '/Subject Alternative Name/{n;p;}' | tr ',' '\n' |
    sed 's/^ *//; s/ *$//' | tr '[:upper:]' '[:lower:]'
}

# names_to_keep: those that may be in use. For certbot's lineage, the names of the newest readable certificate. For
# others, not those of a self-signed certificate, which no client trusts, nor of a copy of one that certbot renews
# elsewhere.
names_to_keep() {
  if [ ! -e "$(renewal_file)" ]; then
    is_self_signed || is_copy || names_in "$CHAIN"
    return
  fi
  for file in "$CHAIN" $(find "$LETSENCRYPT/archive/$(lineage)/" -name 'cert*.pem' -exec ls -t {} + 2>/dev/null); do
    names_in "$file" | grep . && return
  done
}

is_self_signed() {
  [ "$(openssl x509 -in "$CHAIN" -noout -issuer 2>/dev/null | sed 's/^issuer=//')" = "$(openssl x509 -in "$CHAIN" -noout -subject 2>/dev/null | sed 's/^subject=//')" ]
}

is_copy() {
  for conf in "$LETSENCRYPT"/renewal/*.conf; do
    other=${conf##*/}
    ! cmp -s "$CHAIN" "$LETSENCRYPT/live/${other%.conf}/fullchain.pem" || return 0
  done
  return 1
}

# find_impossible: why some names cannot be ordered, in WHY and ADVICE.
find_impossible() {
  if ! find_names; then
    WHY="cannot read the names of the certificate $(lineage), which all must be kept"
    ADVICE="Install openssl there, if it is missing. If the certificate is lost: $(on_proxy "cd $LETSENCRYPT/renewal && mv $(lineage).conf $(lineage).conf.before")"
  elif [ -n "$IMPOSSIBLE" ]; then
    WHY="the certificate $(lineage) also names $IMPOSSIBLE, which certbot cannot get by webroot; it would be lost"
    if [ -e "$(renewal_file)" ]; then
      ADVICE="Renew it by its own means, on the proxy, as root: \`certbot renew --cert-name $(lineage) --force-renewal\`; then run bootstrap-tls again, without --force-renewal."
    else
      advise_aside
    fi
  else
    return 1
  fi
}

# find_lost: the names that a self-signed certificate would lack, in WHY and ADVICE.
find_lost() {
  find_names
  [ -n "$OTHER_NAMES$IMPOSSIBLE" ] || return 1
  WHY="the certificate $(lineage) also names${OTHER_NAMES}${IMPOSSIBLE:+ $IMPOSSIBLE}, which a self-signed one would not"
  advise_aside
}

advise_aside() {
  ADVICE="If nothing else uses that certificate: $(on_proxy "cd $LETSENCRYPT/live && mv $(lineage) $(lineage).before")"
}

# webroot_of NAME: where certbot proves it. The site's own vhost serves WEBROOT; other names keep their setting in
# certbot.
webroot_of() {
  root=
  if [ "$1" != "$SERVER_NAMES" ] && [ -e "$(renewal_file)" ] && [ "$(setting_of authenticator)" = webroot ]; then
    root=$(awk -v name="$1" '$1 == name && $2 == "=" { sub(/^[^=]*= */, ""); print }' "$(renewal_file)" | tail -n 1)
    root=${root:-$(setting_of webroot_path | sed 's/, *$//')}
  fi
  [ -d "$root" ] || root=$WEBROOT
  printf '%s' "$root"
}

say_untrusted() {
  say row obstacle certbot-missing "the only certbot is $UNTRUSTED, which others than root may change: it is not run as root" \
    "Install one for root: $(on_proxy 'python3 -m venv /opt/certbot && /opt/certbot/bin/pip install certbot')"
}

# find_managed: does acme.sh or lego renew the certificate that would be replaced? It would later overwrite the new one.
# Leaves
# WHY and ADVICE.
find_managed() {
  find_renewer
  case $RENEWER in
    acme.sh)
      remove="${RENEWER_HOME%/*}/acme.sh --remove -d $SERVER_NAMES$(case $RENEWER_HOME in *_ecc) echo ' --ecc' ;; esac)"
      renew="Renew it there: \`${RENEWER_HOME%/*}/acme.sh --renew --force -d $SERVER_NAMES$(case $RENEWER_HOME in *_ecc) echo ' --ecc' ;; esac)\`."
      ;;
    lego) remove="mv $RENEWER_HOME $RENEWER_HOME.before" renew="Renew it there, with \`lego renew\` and the flags that issued it." ;;
    *) return 1 ;;
  esac
  WHY="$RENEWER renews $CHAIN ($RENEWER_HOME)"
  ADVICE="$renew To let certbot renew it from now on: $(on_proxy "$remove")"
}

# covers LINEAGE: is its certificate valid for the site's name for at least another day?
covers() {
  if is_address; then option=-checkip; else option=-checkhost; fi
  openssl x509 -in "$LETSENCRYPT/live/$1/fullchain.pem" -noout "$option" "$SERVER_NAMES" 2>/dev/null | grep -q 'does match' &&
    openssl x509 -in "$LETSENCRYPT/live/$1/fullchain.pem" -noout -checkend 86400 >/dev/null 2>&1
}

# say_usable: if the site has no certificate yet, certbot's lineages that already cover its name.
say_usable() {
  if [ -s "$CHAIN" ] || [ -z "$(lineage)" ]; then return; fi
  for conf in "$LETSENCRYPT"/renewal/*.conf; do
    [ -e "$conf" ] || continue
    other=${conf##*/} other=${other%.conf}
    ! covers "$other" || say row usable "$other"
  done
}

# say_obstacles: what prevents a new certificate, and the other names that an order would keep.
say_obstacles() {
  find_certbot || [ -z "$UNTRUSTED" ] || { say_untrusted; return; }
  ! find_too_old || { say row obstacle certbot-old "$WHY" "$ADVICE"; return; }
  ! find_managed || { say row obstacle managed "$WHY" "$ADVICE"; return; }
  ! find_linked || { say row obstacle linked "$WHY" "$ADVICE"; return; }
  [ -n "$(lineage)" ] || return 0
  ! find_impossible || say row obstacle lineage-names "$WHY" "$ADVICE"
  for name in $OTHER_NAMES; do say row other_name "$name" "$(webroot_of "$name")"; done
}
