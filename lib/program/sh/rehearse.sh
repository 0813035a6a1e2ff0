# shellcheck shell=sh
# Tests the new configuration in a private mount namespace: no untested file is ever in nginx's folders, where a reload
# or restart by somebody else would load it.
# Needs: CLIENTS JOURNAL LOGS NGINX NGINX_DIR NL RUN SOURCE TARGET
# Leaves: REHEARSAL TEST

# rehearse: leaves in REHEARSAL
#   passed        nginx accepts the new configuration
#   refused       nginx rejects it; TEST has its output
#   unavailable   no such namespace can be created here (a container without CAP_SYS_ADMIN, no unshare)
rehearse() {
  REHEARSAL=unavailable TEST='' drafts=$JOURNAL.new/drafts view=$JOURNAL.new/view
  command -v unshare >/dev/null || return 0
  if mkdir -p "$drafts" "$view" "$JOURNAL.new/files" 2>/dev/null && find_views && each_draft write_draft 2>/dev/null; then
    TEST=$(rehearsal | unshare --mount /bin/sh -s 2>&1)
    read_rehearsal $?
  fi
  rmdir "$drafts" "$view" 2>/dev/null || rm -rf "$drafts" "$view"
}

# read_rehearsal STATUS: if this line is missing, the mounts failed, not nginx.
read_rehearsal() {
  case $TEST in *"@rehearsal $RUN"*) ;; *) return 0 ;; esac
  TEST=${TEST#*"@rehearsal $RUN"}
  TEST=${TEST#"$NL"}
  REHEARSAL=refused
  if [ "$1" -eq 0 ] && accepts_name; then REHEARSAL=passed; fi
}

# find_views: leaves in VIEWS the folders that the change affects, with links resolved. Fails for a name that mount
# would read as an option.
find_views() {
  FOLDERS=' ' VIEWS=''
  each_wanted find_folder || return 1
  [ -z "$SOURCE" ] || find_folder client "$CLIENTS/all" 600 - changed || return 1
  [ -d "$LOGS" ] || FOLDERS="$FOLDERS${LOGS%/*} "
  # A folder below another one is part of it.
  for folder in $FOLDERS; do
    case $FOLDERS in *" ${folder%/*} "*) ;; *) VIEWS="$VIEWS $folder" ;; esac
  done
}

find_folder() {
  [ "$5" != same ] || return 0
  folder=${2%/*}
  # A folder that this change creates is also created for the test.
  [ -d "$folder" ] || folder=${folder%/*}
  case $FOLDERS in *" $folder "*) return 0 ;; esac
  if [ -L "$folder" ] || [ -L "$NGINX_DIR" ]; then folder=$(readlink -f "$folder"); fi
  case $folder in *[!A-Za-z0-9/._-]*) return 1 ;; esac
  case $FOLDERS in *" $folder "*) ;; *) FOLDERS="$FOLDERS$folder " ;; esac
}

# each_draft FUNCTION: like each_wanted, without the files that stay; DRAFT is the path of the draft.
each_draft() {
  number=0 do_draft=$1
  each_wanted next_draft
}

next_draft() {
  number=$((number + 1)) DRAFT=$drafts/$number
  [ "$5" = same ] || "$do_draft" "$@"
}

write_draft() {
  case $1:$5 in *:gone | link:*) ;; *) $4 >"$DRAFT" ;; esac
}

# rehearsal: the commands, for a shell inside the namespace.
rehearsal() {
  number=0 layers='' mounts=''
  for folder in $VIEWS; do
    number=$((number + 1))
    layers="$layers '$view/$number/new' '$view/$number/work'"
    mounts="$mounts$(mount_view "$folder" "$view/$number")$NL"
  done
  printf '%s\n' "mount -t tmpfs -o mode=700 gatepost '$view' && mkdir -p $layers || exit" "$mounts"
  [ -z "$SOURCE" ] || echo "cp -f '$SOURCE'/*.map '$CLIENTS' || exit"
  [ -d "$LOGS" ] || printf '%s\n' "mkdir '$LOGS' || exit"
  each_draft swap_draft
  printf '%s\n' "echo '@rehearsal $RUN'" 'export MALLOC_TOP_PAD_=4194304' "exec $NGINX -t"
}

# mount_view FOLDER LAYERS: an overlay; or a copy, if the kernel refuses the overlay (overlays on overlays), or if
# something is mounted below the folder, which an overlay would hide.
mount_view() {
  overlay="mount -t overlay -o 'lowerdir=$1,upperdir=$2/new,workdir=$2/work' gatepost '$1' 2>/dev/null ||"
  ! is_mounted_below "$1" || overlay=
  echo "$overlay { cp -a '$1/.' '$2/new' && mount --bind '$2/new' '$1'; } || exit"
}

is_mounted_below() {
  while read -r _ _ _ _ point _; do
    case $point in "$1"/*) return 0 ;; esac
  done </proc/self/mountinfo
  return 1
}

# swap_draft ROLE PATH MODE CONTENT-FUNCTION STATE: does what `swap` will do.
swap_draft() {
  [ -d "${2%/*}" ] || echo "mkdir -p '${2%/*}' || exit"
  case $1:$5 in
    *:gone) echo "rm -f '$2' || exit" ;;
    link:*) find_target "$4" && echo "ln -sfn '$TARGET' '$2' || exit" ;;
    *) echo "mv -fT '$DRAFT' '$2' || exit" ;;
  esac
}
