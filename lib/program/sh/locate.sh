# shellcheck shell=sh
# Which nginx this is: the program, the arguments of its master process, and the folder of its nginx.conf.
# Needs: PATH
# Leaves: CLIENTS LIVE_FILES NGINX NGINX_DIR PREFIX TITLE

NGINX=nginx           # as a command: the program, and -p and -c if its master has them
NGINX_DIR=/etc/nginx  # the folder of nginx.conf, and of our own folders
PREFIX=''             # the master's own -p

# find_nginx: leaves in NGINX and PREFIX those of the running master: the one in the usual PID file, or else the only
# one.
find_nginx() {
  NGINX=nginx PREFIX='' TITLE='' pid=
  ! read -r pid 2>/dev/null </run/nginx.pid || title_of "$pid"
  case $TITLE in 'nginx: master process'*) [ -O "/proc/$pid" ] ;; *) false ;; esac || find_only_master || return 0
  read_arguments
}

# find_only_master: by its title, since its PID file may be anywhere; ignores those in containers, and any that is not
# root's. Leaves pid and TITLE.
find_only_master() {
  pid='' seen='' here=$(namespaces self)
  while read -r file; do
    is_ours "${file%/cmdline}" || continue
    title_of "$other"
    # During a binary upgrade, there are two with the same arguments.
    case $seen in
      '') pid=$other seen=$TITLE ;;
      "$TITLE") ;;
      *) refuse nginx-several "several nginx run on this host, none by /run/nginx.pid: ${seen#*master process }; ${TITLE#*master process }" ;;
    esac
  done <<END
$(grep -ls '^nginx: master process' /proc/[0-9]*/cmdline 2>/dev/null)
END
  TITLE=$seen
  [ -n "$pid" ]
}

is_ours() {
  other=${1#/proc/}
  { [ -n "$other" ] && [ -O "$1" ]; } || return 1
  [ "$(namespaces "$other")" = "$here" ]
}

namespaces() { readlink "/proc/$1/ns/net" "/proc/$1/ns/pid" 2>/dev/null; }

# read_arguments: those of the master pid, whose TITLE ends with them. A program in PATH is called by its name.
read_arguments() {
  option='' program=''
  set -f
  for word in ${TITLE#*: master process}; do
    case ${program:-none}:$option:$word in
      none:*) program=$word && find_program ;;
      *:-c:*) NGINX="$NGINX -c $word" option='' ;;
      *:-p:*) find_prefix "$word" && option='' ;;
      *::-[cp]) option=$word ;;
      *::-p*) find_prefix "${word#-p}" ;;
      *::-c*) NGINX="$NGINX $word" ;;
    esac
  done
  set +f
  case $NGINX in *[!A-Za-z0-9/._+\ -]*) refuse nginx-several "nginx was started as '$NGINX', which gatepost cannot repeat" ;; esac
}

find_program() {
  case ":$PATH:$program" in
    *":${program%/*}:"*/nginx) ;;
    *:/*) NGINX=$program ;;
    *:*/*) NGINX=$(readlink "/proc/$pid/exe") ;;
  esac
}

find_prefix() {
  PREFIX=$1
  case $1 in /*) ;; *) PREFIX=$(readlink "/proc/$pid/cwd")/$1 ;; esac
  NGINX="$NGINX -p $PREFIX"
}

is_installed() { command -v "${NGINX%% *}" >/dev/null; }

check_installed() {
  ! is_installed || return 0
  ! grep -qs '^angie: master process' /proc/[0-9]*/cmdline || also=', but angie is running, which gatepost does not support'
  refuse nginx-absent "nginx is not installed on this host${also-}"
}

# use_folder FOLDER: the one of nginx.conf, from the dump; our own folders move with it.
use_folder() {
  [ -z "$CLIENTS" ] || CLIENTS=$1${CLIENTS#"$NGINX_DIR"} LIVE_FILES=$1${LIVE_FILES#"$NGINX_DIR"}
  NGINX_DIR=$1
}

# find_clients_folder: without a dump, if nginx is the usual one.
find_clients_folder() {
  find_nginx
  [ "$NGINX" = nginx ] && [ -e "$NGINX_DIR/nginx.conf" ] || ! is_installed || survey || :
}

# for_this_nginx FUNCTION: one of our texts, with the paths of this nginx's folder.
for_this_nginx() {
  if [ "$NGINX_DIR" = /etc/nginx ]; then "$@"; else "$@" | sed "s|/etc/nginx/|$NGINX_DIR/|g"; fi
}
