# shellcheck shell=sh
# Before an order, imports a certificate that certbot does not manage as its lineage. If the order fails, this is
# undone.
# Needs: ACME_SERVER CHAIN FAILED KEY LETSENCRYPT NEW RUN SITE STORE WEBROOT
# Leaves: JOURNAL

# A journal as in journal.sh, for this one change, which certbot completes.
ADOPTION=$STORE/$SITE/adoption

# import_lineage: certbot never overwrites files that it does not manage. So the current files become a lineage, without
# ever being missing for nginx, and the new certificate becomes its next version.
import_lineage() {
  live=${CHAIN%/*} archive=$LETSENCRYPT/archive/$(lineage)
  [ ! -e "$(renewal_file)" ] || return 0
  if [ ! -s "$CHAIN" ] || [ ! -s "$KEY" ]; then
    set_aside "$live" && set_aside "$archive"
    return
  fi
  number=$(next_number)
  JOURNAL=$ADOPTION
  keep_before && file_away || return 1
  for part in cert chain fullchain privkey; do
    put_link "$live/$part.pem" "../../archive/${archive##*/}/$part$number.pem" || return 1
  done
  stage_names "$(renewal_file)"
  renewal_text >"$NEW" && mv -fT "$NEW" "$(renewal_file)"
}

# set_aside DIRECTORY: moves away files other than a certificate with its key, which would stop certbot.
set_aside() {
  [ -e "$1" ] && ! rmdir "$1" 2>/dev/null || return 0
  note "$1 is moved to $1.before-$RUN"
  echo "$1 $1.before-$RUN" >>"$ADOPTION.aside" && mv -T "$1" "$1.before-$RUN"
}

# next_number: the first number that is unused in the archive.
next_number() {
  last=$(find "$archive/" -name '*.pem' 2>/dev/null | sed -n 's/.*[a-z]\([0-9][0-9]*\)\.pem$/\1/p' | sort -n | tail -n 1)
  echo $((${last:-0} + 1))
}

keep_before() {
  mkdir -p "$JOURNAL.new" && echo "$number" >"$JOURNAL.new/number" && true >"$JOURNAL.new/before" || return 1
  keep "$(renewal_file)" || return 1
  for part in cert chain fullchain privkey; do keep "$live/$part.pem" && keep "$archive/$part$number.pem" || return 1; done
  for directory in "$LETSENCRYPT/archive" "$archive" "$LETSENCRYPT/renewal"; do keep_directory "$directory" 700 || return 1; done
  sync_files "$JOURNAL.new/before" && mv -fT "$JOURNAL.new" "$JOURNAL"
}

# file_away: moves the current pair into the archive, under its number.
file_away() {
  for part in cert chain fullchain privkey; do
    stage_names "$archive/$part$number.pem"
    print_part >"$NEW" && mv -fT "$NEW" "$archive/$part$number.pem" || return 1
  done
}

print_part() {
  case $part in
    cert) sed '/^-----END CERT/q' "$CHAIN" ;;
    chain) sed '1,/^-----END CERT/d' "$CHAIN" ;;
    fullchain) cat "$CHAIN" ;;
    privkey) cat "$KEY" ;;
  esac
}

renewal_text() {
  echo "archive_dir = $archive"
  for part in cert privkey chain fullchain; do echo "$part = $live/$part.pem"; done
  printf '%s\n' '[renewalparams]' 'authenticator = webroot' "webroot_path = $WEBROOT," "server = $ACME_SERVER"
}

ended() { settle_adoption; finish failed 1; }

# settle_adoption: if the order, of this run or an earlier one, issued no certificate, restores the previous state.
settle_adoption() {
  abandon "$ADOPTION.new"
  if [ -d "$ADOPTION" ]; then
    if has_followed; then
      clean_up "$ADOPTION"
    elif restore_files "$ADOPTION"; then
      clean_up "$ADOPTION" && remove_directories "$ADOPTION"
    else
      note "cannot restore $FAILED; the next run tries again"
      return 0
    fi
    rm -rf "$ADOPTION"
  fi
  [ -e "$ADOPTION.aside" ] || return 0
  while read -r path aside; do
    [ -e "$path" ] || [ ! -e "$aside" ] || mv -T "$aside" "$path" || note "cannot move $aside back"
  done <"$ADOPTION.aside"
  rm -f "$ADOPTION.aside"
}

# has_followed: did certbot move all four links to a new certificate?
has_followed() {
  [ -e "$(renewal_file)" ] && read -r number <"$ADOPTION/number" || return 1
  for part in cert chain fullchain privkey; do
    case $(readlink "${CHAIN%/*}/$part.pem") in '' | */"$part$number.pem") return 1 ;; esac
  done
}
