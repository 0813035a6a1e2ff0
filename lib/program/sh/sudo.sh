# shellcheck shell=sh
# Whether sudo records the input or output of this program, which contain tokens. Not every `Defaults log_output` in sudoers
# applies to this login and command, and tags such as LOG_OUTPUT may. But sudo itself keeps the files of a recording open.
# Needs: PPID
# Leaves: RECORDS_IN

# is_recorded OPTION NAMES: does sudo record this program because of OPTION? NAMES is an extended regex for the files of such a
# recording. Leaves in RECORDS_IN the sudoers file with the option, or the folder of the recording.
is_recorded() {
  RECORDS_IN=$(grep -rlsE "^[^#]*[ ,]$1" /etc/sudoers /etc/sudoers.d | head -n 1)
  pid=$PPID
  while read -r number name state parent rest 2>/dev/null <"/proc/$pid/stat"; do
    if [ "$name" = '(sudo)' ]; then
      # A recording on a log server has no files here.
      [ -z "$RECORDS_IN" ] || ! grep -rqs '^[^#]*[ ,]log_servers' /etc/sudoers /etc/sudoers.d || return 0
      file=$(readlink "/proc/$pid/fd/"* 2>/dev/null | grep -E "/($2)\$" | head -n 1)
      [ -z "$file" ] || { : "${RECORDS_IN:=${file%/*}}"; return 0; }
    fi
    pid=$parent
  done
  return 1
}
