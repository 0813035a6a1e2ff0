{
trap '' HUP PIPE
set -u
umask 077
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
VERB='__VERB__'
RUN='20261122T000000Z-000000'
NOW='2026-11-22T17:40:35Z'
WHO='tester@lab'
SITE='ia.enso.4nkweb.com'
SERVER_NAMES='ia.enso.4nkweb.com'
CLIENTS='/etc/nginx/ia-enso-bearers'
CHAIN='/etc/letsencrypt/live/ia.enso.4nkweb.com/fullchain.pem'
KEY='/etc/letsencrypt/live/ia.enso.4nkweb.com/privkey.pem'
# shellcheck shell=sh disable=SC2034 # the parts share their variables
# What the program tells the operator: records of tab-separated fields, each led by the run's id.

TAB='	' # a tab
NL='
'

# say KIND [FIELD…]: one record, to the run's log (for a connection that dropped) and to whoever listens.
say() {
  record="@$RUN"
  for field; do record="$record$TAB$field"; done
  [ -z "${LOG:-}" ] || printf '%s\n' "$record" >>"$LOG"
  # Nobody may be listening any more: that changes nothing.
  printf '%s\n' "$record" 2>/dev/null || :
}

step() { say step "$1"; }
note() { say note "$1"; }

# say_text KIND TEXT: another program's words, a record a line. (nginx quotes the key that it does not like.)
say_text() {
  printf '%s\n' "$2" | tail -n 40 | redact | while IFS= read -r line; do say "$1" "$line"; done
}

sha256() { sha256sum | cut -d ' ' -f 1; }

# redact: every bearer on stdin gives way to its fingerprint; no token becomes an argument.
redact() {
  split_bearers | while IFS= read -r piece; do
    case $piece in
      token*) printf '<sha256:%s>' "$(printf '%s' "${piece#token}" | bare | sha256 | cut -c 1-12)" ;;
      text*) printf '%s' "${piece#text}" ;;
      end) echo ;;
    esac
  done
}

# bare: a token as the client sends it, from a regex that matches it.
bare() { sed 's/\\z$//; s/\$$//; s/\\//g'; }

# split_bearers: each line in pieces, one a line: `text…`, `token…`, `end`. A token is what follows the word bearer: in a
# quoted word that begins with it up to the quote, elsewhere (comments) whatever is as long as a token.
split_bearers() {
  awk '{
    rest = $0
    while (match(tolower(rest), /bearer\)?(\\s|\\ |[ +*])*/)) {
      head = substr(rest, 1, RSTART + RLENGTH - 1)
      rest = substr(rest, RSTART + RLENGTH)
      if (match(tolower(head), /["\047][^ "\047]*bearer\)?(\\s|\\ |[ +*])*$/)) {
        size = index(rest, substr(head, RSTART, 1)) - 1
        if (size < 0) size = length(rest)
      } else {
        size = match(rest, /^[^ \t;)"\047]+/) ? RLENGTH : 0
        if (size < 16) size = 0
      }
      print "text" head
      if (size) print "token" substr(rest, 1, size)
      rest = substr(rest, size + 1)
    }
    print "text" rest
    print "end"
  }'
}

# finish OUTCOME STATUS: the last words. A run without them did not end by itself.
finish() {
  trap - EXIT
  say outcome "$1" "$RUN"
  say end
  exit "$2"
}

# refuse CODE TEXT: before anything was changed.
refuse() {
  say error "$1"
  say_text text "$2"
  finish refused 1
}

# shellcheck shell=sh
# One run at a time on a host, whatever the site: nginx is tested and reloaded as a whole.

STORE=/var/lib/gatepost
LOCK_WAIT=30 # seconds
RUNS_KEPT=20

# take_lock: waits for another run to end; the kernel frees the lock however its holder dies.
take_lock() {
  umask 077
  why=$(install -d -m 700 "$STORE" "$STORE/runs" "$STORE/$SITE" "$STORE/$SITE/releases" 2>&1) || refuse store "$why"
  command -v flock >/dev/null || refuse tools "flock (package util-linux) is missing on the proxy"
  # A redirection that fails ends the shell where it belongs to a special command (exec, :) and not elsewhere.
  true 2>/dev/null >>"$STORE/lock" ||
    refuse store "cannot write $STORE/lock: $({ true >>"$STORE/lock"; } 2>&1)"
  exec 9>>"$STORE/lock"
  tries=0
  until flock -n 9; do
    [ "$tries" -ne 0 ] || step "wait for the run of $(holder)"
    [ "$tries" -lt $((LOCK_WAIT * 5)) ] || refuse locked "$(holder) holds the lock for $LOCK_WAIT s"
    tries=$((tries + 1))
    sleep 0.2
  done
  printf '%s (site %s, run %s, process %s)\n' "$WHO" "$SITE" "$RUN" "$$" >"$STORE/lock"
}

holder() { head -n 1 "$STORE/lock" 2>/dev/null | tr -d '\t' || echo somebody; }

# claim_run: opens the run's log. A run that was given up while it was on its way does nothing any more.
claim_run() {
  [ ! -e "$STORE/runs/$RUN" ] || refuse cancelled "this run was given up before it began"
  LOG=$STORE/runs/$RUN
  # A page more than is needed: on a full disk the run ends here.
  why=$(write_file "$LOG" page 2>&1) || refuse store "cannot write $LOG: $why"
  true >"$LOG"
  prune_runs
}

page() { printf '%4096s' ''; }

# prune_runs: the newest ones stay (their names begin with a time), and this one by whatever clock it was named.
prune_runs() {
  set -- "$STORE"/runs/*
  while [ $# -gt "$RUNS_KEPT" ]; do
    [ "$1" = "$LOG" ] || rm -rf "$1"
    shift
  done
}

# shellcheck shell=sh
# The journal of one change: what was there before, until the change is proven.
#
#   journal.new   being prepared; nothing is changed yet
#   journal       begun; whoever finds it puts everything back
#   releases/N    committed: the same directory, renamed, which is the one moment of the commit
#
# `before` holds a line a target: KIND PATH [LINK TARGET]. What stood at PATH is kept beside it by a hard link,
# so that putting it back needs no space and keeps owner, mode and times. A `directory` was made by the change, one that
# is `emptied` by it goes once it is done.

# beside PATH: leaves in NEW and OLD the names of what is written and what is kept beside PATH.
beside() { NEW=${1%/*}/.${1##*/}.gatepost-new OLD=${1%/*}/.${1##*/}.gatepost-old; }

# write_file PATH FUNCTION: what FUNCTION prints. The shell does not say why a write failed; cat does.
write_file() { $2 2>/dev/null >"$1" || $2 | cat >"$1"; }

# put_link PATH TARGET
put_link() { beside "$1" && ln -sfn "$2" "$NEW" && mv -fT "$NEW" "$1"; }

# keep PATH: writes down what PATH is now, and keeps it.
keep() {
  beside "$1"
  if [ -L "$1" ]; then
    echo "link $1 $(readlink "$1")"
  elif [ -e "$1" ]; then
    echo "file $1" || return 1
    ln -f "$1" "$OLD" 2>/dev/null || cp -p "$1" "$OLD"
  else
    echo "absent $1"
  fi >>"$JOURNAL.new/before"
}

# keep_directory PATH: makes a directory of ours where it is missing.
keep_directory() {
  [ ! -d "$1" ] || return 0
  echo "directory $1" >>"$JOURNAL.new/before" && mkdir -m "$2" "$1"
}

# put_back JOURNAL: every target as it was; safe to repeat.
put_back() {
  failed=
  while read -r kind path target; do
    beside "$path"
    case $kind in
      file) [ ! -e "$OLD" ] || mv -fT "$OLD" "$path" || cmp -s "$OLD" "$path" ;;
      absent) rm -f "$path" ;;
      link) [ "$(readlink "$path")" = "$target" ] || put_link "$path" "$target" ;;
    esac || failed=$path
  done <"$1/before"
  [ -z "$failed" ] && clean_up "$1" && remove_directories "$1"
}

# clean_up JOURNAL: drops what was written or kept beside the targets.
clean_up() {
  leavings=
  while read -r kind path target; do
    beside "$path"
    leavings="$leavings $NEW $OLD"
  done <"$1/before"
  # shellcheck disable=SC2086 # our own paths, none with a blank
  rm -f $leavings
}

# remove_directories JOURNAL: those that the change had made, unless somebody uses them.
remove_directories() {
  while read -r kind path target; do
    [ "$kind" != directory ] || rmdir "$path" 2>/dev/null || :
  done <"$1/before"
}

# abandon JOURNAL.NEW: nothing was changed yet; nothing of the preparation stays.
abandon() {
  [ -e "$1" ] || return 0
  [ ! -e "$1/before" ] || { clean_up "$1" && remove_directories "$1"; }
  rm -rf "$1"
}

# restore JOURNAL: puts back, and proves that nginx serves what it served.
restore() {
  step restore
  put_back "$1" || restore_failed "$1" "cannot put back $failed"
  if [ -z "${SICK:-}" ]; then
    TEST=$(try_nginx -t) || restore_failed "$1" "$TEST"
    [ ! -e "$1/reload" ] || reload_nginx || restore_failed "$1" "$WHY"
  fi
  drop_journal "$1"
}

drop_journal() { rm -rf "$1.done" && mv -fT "$1" "$1.done" && rm -rf "$1.done"; }

restore_failed() {
  say error restore
  say_text text "$2"
  while read -r kind path target; do
    case $kind in
      file) beside "$path" && say todo "test ! -e $OLD || mv -fT $OLD $path" ;;
      absent) say todo "rm -f $path" ;;
      link) say todo "ln -sfn $target $path" ;;
    esac
  done <"$1/before"
  while read -r kind path target; do
    [ "$kind" != directory ] || say todo "test ! -d $path || rmdir --ignore-fail-on-non-empty $path"
  done <"$1/before"
  say todo "nginx -t && nginx -s reload"
  finish restore-failed 5
}

# recover: what runs before this one left behind, for whatever site.
recover() {
  for site in "$STORE"/*/releases; do
    site=${site%/releases}
    [ ! -e "$site/journal.done" ] || rm -rf "$site/journal.done"
    abandon "$site/journal.new"
    for release in "$site"/releases/*/before; do
      [ ! -e "$release" ] || tidy "${release%/before}"
    done
    [ ! -d "$site/journal" ] || recover_one "$site/journal"
  done
}

# tidy RELEASE: a committed journal keeps its record only; a folder that was emptied goes.
tidy() {
  clean_up "$1"
  while read -r kind path target; do
    [ "$kind" != emptied ] || rmdir "$path" 2>/dev/null || :
  done <"$1/before"
  rm -f "$1/before" "$1/reload" "$1/run" "$1/sick"
}

# recover_one JOURNAL: as restore does, but here nginx may have been stopped or broken by others since, or reloaded in
# the middle of the change.
recover_one() {
  note "an earlier run ($(cat "$1/run" 2>/dev/null)) did not finish; what it had changed is put back"
  put_back "$1" || restore_failed "$1" "cannot put back $failed"
  if survey; then
    ! find_master || reload_nginx || restore_failed "$1" "$WHY"
  else
    # A change that was to mend this site's own file: the next one mends it.
    [ -e "$1/sick" ] || refuse sick "$SAID"
  fi
  drop_journal "$1"
}

# shellcheck shell=sh disable=SC2034 # the parts share their variables
# nginx: what it is and loads, whether it accepts a configuration, whether it really serves it.

NGINX_DIR=/etc/nginx
RELOAD_WAIT=20 # seconds; a taken port shows after 2.5

# survey: what nginx is and loads. Leaves
#   VERSION, PID_FILE, ERROR_LOG
#   SAID                            what it says of its configuration, a line each
#   INCLUDES                        which of conf.d and sites-enabled it includes
#   DEFINES_UPGRADE, USES_UPGRADE   the files with $connection_upgrade
# Fails when nginx refuses its configuration.
survey() {
  command -v nginx >/dev/null || refuse nginx-absent "there is no nginx on this host"
  VERSION='' PID_FILE='' ERROR_LOG='' SAID='' INCLUDES='' DEFINES_UPGRADE='' USES_UPGRADE='' accepted=''
  while read -r key value; do
    case $key in
      version) VERSION=$value ;;
      pid) PID_FILE=$value ;;
      error_log) ERROR_LOG=$value ;;
      says) SAID="${SAID:+$SAID$NL}$value" ;;
      includes) INCLUDES="$INCLUDES $value" ;;
      defines) DEFINES_UPGRADE="$DEFINES_UPGRADE $value" ;;
      uses) USES_UPGRADE="$USES_UPGRADE $value" ;;
      accepted) accepted=yes ;;
    esac
  done <<END
$(dump | digest)
END
  [ -n "$accepted" ]
}

# try_nginx FLAG…: all that nginx says. For every map it fills a megabyte and frees it: half of its time, unless the heap
# keeps it (mallopt(3)).
try_nginx() { MALLOC_TOP_PAD_=4194304 nginx "$@" 2>&1; }

# dump: what nginx was built with and all that it loads. (It prints nothing but its complaint when the configuration is
# broken: then the files are read as they lie.)
dump() {
  if try_nginx -T -V; then echo '# gatepost accepted'; else read_files; fi
}

# read_files: what `nginx -T` would print of the files that matter here.
read_files() {
  for file in "$NGINX_DIR"/nginx.conf "$NGINX_DIR"/conf.d/*.conf "$NGINX_DIR"/sites-enabled/*; do
    [ ! -f "$file" ] || { echo "# configuration file $file:"; cat "$file"; echo; }
  done
}

# digest: a dump as lines for `survey`. It is read as it goes by and never kept, since it holds every token.
digest() {
  awk '
    /^# configuration file .*:$/ { file = $4; sub(/:$/, "", file); next }
    /^# gatepost accepted$/ { print "accepted"; next }
    file == "" && /^nginx version: / { sub(/^[^\/]*\//, ""); sub(/[^0-9.].*/, ""); print "version " $0; next }
    file == "" && /^configure arguments: / {
      for (i = 3; i <= NF; i++) {
        if (sub(/^--pid-path=/, "", $i)) print "pid " $i
        if (sub(/^--error-log-path=/, "", $i)) print "error_log " $i
      }
      next
    }
    file == "" && /^nginx: |\[(emerg|alert|crit|error|warn)\]/ { print "says " $0; next }
    { sub(/(^|[ \t])#.*/, "") }
    match($0, /(^|[ \t;{])include[ \t]+[^;]*;/) {
      path = substr($0, RSTART, RLENGTH)
      gsub(/.*include[ \t]+|["\047; \t]/, "", path); sub(/^\/etc\/nginx\//, "", path)
      if (path == "sites-enabled/*" || path == "sites-enabled/*.conf") print "includes sites-enabled"
      if (path == "conf.d/*.conf" || path == "conf.d/*") print "includes conf.d"
    }
    /\$(connection_upgrade|\{connection_upgrade\})["\047]?[ \t]*(\{|$)/ { if (!defines[file]++) print "defines " file; next }
    /\$(connection_upgrade([^a-z0-9_]|$)|\{connection_upgrade\})/ && !uses[file]++ { print "uses " file }
    $1 == "pid" && $2 ~ /^\// { path = $2; sub(/;$/, "", path); print "pid " path }
    $1 == "error_log" && $2 ~ /^\// && !logged++ { path = $2; sub(/;$/, "", path); print "error_log " path }'
}

# test_nginx: nginx's own test; its words are left in TEST. That our name is taken is only a warning to nginx.
test_nginx() {
  TEST=$(try_nginx -t) || return 1
  for name in $SERVER_NAMES; do
    case $TEST in *"conflicting server name \"$name\""*) return 1 ;; esac
  done
}

# find_master: the running master process, by its pid file and its title.
find_master() {
  MASTER=
  read -r MASTER 2>/dev/null <"$PID_FILE" || return 1
  title_of "$MASTER"
  case $TITLE in 'nginx: master process'*) ;; *) return 1 ;; esac
}

# title_of PID: leaves the process title in TITLE.
title_of() {
  TITLE=
  IFS= read -r TITLE 2>/dev/null <"/proc/$1/cmdline" || :
}

# find_children: leaves in CHILDREN the pids of the master's processes, of whatever title.
find_children() {
  CHILDREN=
  read -r CHILDREN 2>/dev/null <"/proc/$MASTER/task/$MASTER/children" || :
  [ -n "$CHILDREN" ] || CHILDREN=$(pgrep -P "$MASTER" | tr '\n' ' ')
}

# find_workers: leaves in WORKERS the pids of those of them that accept connections.
find_workers() {
  find_children
  WORKERS=
  for pid in $CHILDREN; do
    title_of "$pid"
    case $TITLE in
      'nginx: worker process is shutting down'*) ;;
      'nginx: worker process'*) WORKERS="$WORKERS $pid" ;;
    esac
  done
}

# reload_nginx: reloads, and waits until the old workers accept no more and new ones do. Says in WHY why not.
# (nginx -s reload and systemctl return 0 even when the old configuration stays.)
reload_nginx() {
  WHY="nginx is not running (no master process by $PID_FILE)"
  find_master || return 1
  # All of them: one that was only just forked is not titled yet, and old all the same.
  find_children
  old=" $CHILDREN "
  log_start=$(wc -c 2>/dev/null <"$ERROR_LOG") || log_start=0
  kill -HUP "$MASTER" || return 1
  # nginx itself leaves its old workers 100 ms. Where it takes longer the host is busy, and not to be kept busy by asking.
  tries=0 pause=0.1
  until sleep "$pause"; has_taken; do
    tries=$((tries + 1))
    WHY="the old workers still accept connections $RELOAD_WAIT s after the reload"
    [ "$tries" -lt $((RELOAD_WAIT * 10)) ] || return 1
    if [ "$tries" -lt 4 ]; then pause=0.02; else pause=0.1; fi
    if [ $((tries % 5)) -eq 0 ] && will_not_take; then return 1; fi
  done
}

has_taken() {
  fresh=
  find_workers
  for worker in $WORKERS; do
    case $old in *" $worker "*) return 1 ;; esac
    fresh=yes
  done
  [ -n "$fresh" ]
}

# will_not_take: did the master write to the error log, since the reload, that it goes on as before? Leaves that in WHY.
will_not_take() {
  words=$(tail -c "+$((log_start + 1))" "$ERROR_LOG" 2>/dev/null | grep "\[emerg\] $MASTER#" | grep -v ' bind() ' | head -n 3)
  [ -n "$words" ] && WHY=$words
}

# shellcheck shell=sh disable=SC2034 # the parts share their variables
# The files that the site wants here: where they go on this host, in which form, and whether they are there.
#
# WANTED holds a line a file: ROLE PATH MODE FUNCTION STATE, the FUNCTION printing its content. Roles:
#   vhost, map   the site's own, kept in releases
#   shared       the WebSocket map, which sites share; no rollback touches it
#   client       a client of the gate; no rollback touches it
#   link         a symbolic link to what FUNCTION prints
#   gone         one of an earlier release that is not wanted any more

WANTED='' FRESH='' GENERATED='' SHARED='' MODES=''

# check_layout: where the include lines of this nginx let a vhost be.
check_layout() {
  case $INCLUDES in
    *conf.d*) ;;
    *) refuse layout "nginx.conf does not include $NGINX_DIR/conf.d/*.conf in its http block" ;;
  esac
  case $INCLUDES in
    *sites-enabled*) VHOST_DIR=$NGINX_DIR/sites-available LINK_DIR=$NGINX_DIR/sites-enabled ;;
    *) VHOST_DIR=$NGINX_DIR/conf.d LINK_DIR= ;;
  esac
}

# vhost_text FUNCTION: a vhost, written for the oldest nginx with IPv6, in the form that this host wants.
vhost_text() {
  drop='' modern=''
  has_ipv6 || drop='/^ *listen \[::\]/d'
  ! at_least 1 25 1 || modern='s/^\( *\)\(listen 443 ssl\) http2\(.*\)$/\1\2\3\
\1http2 on;/; s/^\( *listen \[::\]:443 ssl\) http2/\1/'
  if [ -z "$drop$modern" ]; then "$1"; else "$1" | sed -e "$drop" -e "$modern"; fi
}

has_ipv6() { read -r address 2>/dev/null </proc/net/if_inet6; }

# at_least MAJOR MINOR PATCH: is this nginx as new as that?
at_least() {
  IFS=. read -r major minor patch <<END
${VERSION:-0}.0.0
END
  [ $((major * 1000000 + minor * 1000 + ${patch%%.*})) -ge $(($1 * 1000000 + $2 * 1000 + $3)) ]
}

# want ROLE NAME MODE FUNCTION: one file of the site, noted in WANTED with its state here.
want() {
  case $1 in
    vhost)
      add vhost "$VHOST_DIR/$2" "$3" "vhost_text $4"
      [ -z "$LINK_DIR" ] || add link "$LINK_DIR/$2" 777 "echo $VHOST_DIR/$2"
      ;;
    shared)
      SHARED=$NGINX_DIR/conf.d/$2
      if others_define "$SHARED"; then
        note "\$connection_upgrade is defined in$others; $2 is left as it is"
      else
        add shared "$SHARED" "$3" "$4"
      fi
      ;;
    map) add map "$NGINX_DIR/conf.d/$2" "$3" "$4" ;;
    client)
      FILE=$CLIENTS/$2.map NEW_KEY=$(key_of "$("$4" | key_lines -)")
      unused
      add client "$FILE" "$3" "client_text $4 $FILE"
      ;;
  esac
}

# others_define PATH: do other files than PATH define $connection_upgrade?
others_define() {
  others=
  for file in $DEFINES_UPGRADE; do [ "$file" = "$1" ] || others="$others $file"; done
  [ -n "$others" ]
}

# want_first NAME MODE FUNCTION: a client that only a host without any client or history of the whole site gets.
want_first() {
  ! was_whole || return 0
  for any in "$CLIENTS"/*.map; do [ ! -e "$any" ] || return 0; done
  GENERATED=$1
  want client "$@"
}

# was_whole: has the whole site been here since it was last removed, or ever?
was_whole() {
  for release in $RELEASES; do
    kind_of "$release"
    case $KIND in
      remove) return 1 ;;
      found | http_only) ;;
      *) return 0 ;;
    esac
  done
  return 1
}

add() {
  check_target "$1" "$2"
  if ! is_there "$2"; then
    state=new
  elif is_as_wanted "$@"; then
    state=same
  else
    state=changed
  fi
  WANTED="$WANTED$1|$2|$3|$4|$state$NL"
}

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# check_target ROLE PATH: never write through or over something that we do not understand.
check_target() {
  if [ -d "$2" ] && [ ! -L "$2" ]; then
    refuse target "$2 is a directory"
  elif [ -L "$2" ] && [ "$1" != link ]; then
    refuse target "$2 is a symbolic link to $(readlink "$2"); put a file in its place or remove it"
  elif [ -e "$2" ] && [ ! -f "$2" ]; then
    refuse target "$2 is neither a file nor a link"
  fi
}

# is_as_wanted ROLE PATH MODE FUNCTION
is_as_wanted() {
  case $1 in
    link) [ -L "$2" ] && leads_to "$2" "$($4)" ;;
    client) has_mode "$2" "$3" && [ "$($4 | keys)" = "$(keys <"$2")" ] ;;
    *) has_mode "$2" "$3" && $4 | cmp -s - "$2" ;;
  esac
}

leads_to() { [ "$(readlink "$1")" = "$2" ] || [ "$(readlink -f "$1")" = "$2" ]; }

# has_mode PATH MODE: is it root's, with this mode? (One look at all files that may be asked for.)
has_mode() {
  [ -n "$MODES" ] || MODES=$NL$(stat -c '%n %a:%u:%g' "$NGINX_DIR"/*/*.conf "$CLIENTS"/*.map 2>/dev/null)$NL
  case $MODES in *"$NL$1 $2:0:0$NL"*) ;; *) return 1 ;; esac
}

# keys: of a client's file, what opens the gate.
keys() {
  while IFS= read -r line; do
    case $line in '#'*) ;; *) printf '%s\n' "$line" ;; esac
  done
}

# client_text FUNCTION PATH: a client's file; the time of its making stays with it.
client_text() {
  created=$NOW
  [ ! -e "$2" ] || find_created <"$2"
  "$1" | while IFS= read -r line; do
    case $line in '# created '*) line="# created $created" ;; esac
    printf '%s\n' "$line"
  done
}

find_created() {
  while IFS= read -r line; do
    case $line in
      '# created '*[!0-9TZ:-]*) ;;
      '# created '?*) created=${line#'# created '} && return ;;
    esac
  done
}

# each_wanted FUNCTION: FUNCTION ROLE PATH MODE CONTENT-FUNCTION STATE for every wanted file.
each_wanted() {
  while IFS='|' read -r role path mode content state; do
    [ -z "$role" ] || "$1" "$role" "$path" "$mode" "$content" "$state" || return 1
  done <<END
$WANTED
END
}

# write_beside ROLE PATH MODE CONTENT-FUNCTION STATE: the new file, whole and read back, beside its place.
write_beside() {
  case $5 in same | gone) return 0 ;; esac
  beside "$2"
  WHY="cannot write $NEW"
  if [ "$1" = link ]; then
    ln -sfn "$($4)" "$NEW"
  else
    { ! is_there "$NEW" || rm -f "$NEW"; } && write_file "$NEW" "$4" && chmod "$3" "$NEW" && chown 0:0 "$NEW" &&
      $4 | cmp -s - "$NEW" && FRESH="$FRESH $NEW"
  fi
}

# swap ROLE PATH MODE CONTENT-FUNCTION STATE: the new file takes its place at once.
swap() {
  beside "$2"
  WHY="cannot replace $2"
  case $5 in
    same) ;;
    gone) rm -f "$2" ;;
    *) mv -fT "$NEW" "$2" ;;
  esac
}

# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Releases: what was put on the host, when and by whom; the last ten are kept.
#
# A release is a directory NUMBER.ID with `meta` (KEY VALUE lines), `state` (ROLE PATH MODE SHA256 lines) and,
# for the site's own files, their content in `files`.

RELEASES_KEPT=10

# find_releases: leaves in RELEASES their directories, the newest first, and in LAST that one.
find_releases() {
  RELEASES='' LAST=''
  for release in "$STORE/$SITE/releases"/[0-9]*.*; do
    [ ! -d "$release" ] || RELEASES="$release $RELEASES" LAST=$release
  done
}

last_release() { find_releases && printf '%s' "$LAST"; }

# id_of RELEASE: leaves it in ID.
id_of() { ID=${1##*/} && ID=${ID#*.}; }

# kind_of RELEASE: leaves in KIND the verb that made it, or `found`.
kind_of() {
  KIND=
  while read -r key value; do [ "$key" != kind ] || KIND=$value; done 2>/dev/null <"$1/meta"
}

say_last() { [ -z "$LAST" ] || { id_of "$LAST" && say release "$ID"; }; }

# sum FILE…: leaves in SUMS a line `SHA256  FILE` for each that can be read.
sum() { SUMS=$NL$(sha256sum "$@" 2>/dev/null </dev/null || :)$NL; }

# find_drift: what somebody changed or removed since the last release; files of it that are wanted no more.
find_drift() {
  DRIFT=
  [ -n "$LAST" ] || return 0
  set --
  while read -r role path mode sha; do set -- "$@" "$path"; done <"$LAST/state"
  sum "$@"
  while read -r role path mode sha; do
    if ! is_there "$path"; then
      DRIFT="$DRIFT$path|removed$NL"
      continue
    fi
    is_as_recorded "$role" "$path" "$mode" "$sha" || DRIFT="$DRIFT$path|changed$NL"
    case $WANTED in *"|$path|"*) ;; *) WANTED="${WANTED}gone|$path|$mode|-|gone$NL" ;; esac
  done <"$LAST/state"
}

# is_as_recorded ROLE PATH MODE SHA256: is it as the last release has it?
is_as_recorded() {
  if [ "$1" = link ]; then
    recorded "$LAST" "$2"
    read -r target <"$RECORDED" && [ "$(readlink "$2")" = "$target" ]
  else
    case $SUMS in *"$NL$4  $2$NL"*) has_mode "$2" "$3" ;; *) return 1 ;; esac
  fi
}

say_drift() {
  while IFS='|' read -r path how; do [ -z "$path" ] || say drift "$path" "$how"; done <<END
$DRIFT
END
}

# describe DIRECTORY KIND: a release's meta, files and state in DIRECTORY, from what is on the host now.
describe() {
  INTO=$1
  printf '%s\n' "id $RUN" "kind $2" "when $NOW" "who $WHO" "nginx $VERSION" "about ${ABOUT:-}" >"$1/meta" && : >"$1/state" &&
    carry_over "$1" && each_wanted copy_file && sum "$1"/files/* && each_wanted describe_file
}

# carry_over DIRECTORY: a change of clients leaves the site's own files as the last release has them.
carry_over() {
  [ -n "${CLIENT:-}" ] && [ -n "$LAST" ] || return 0
  cp "$LAST/state" "$1/state" && cp -pR "$LAST/files/." "$1/files"
}

copy_file() {
  is_own "$@" || return 0
  recorded "$INTO" "$2"
  if [ -L "$2" ]; then readlink "$2" >"$RECORDED"; else cp -p "$2" "$RECORDED"; fi
}

describe_file() {
  is_own "$@" || return 0
  recorded "$INTO" "$2"
  sha=${SUMS%%"  $RECORDED$NL"*}
  sha=${sha##*"$NL"}
  [ -n "$sha" ] && printf '%s %s %s %s\n' "$ROLE" "$2" "$3" "$sha" >>"$INTO/state"
}

# is_own ROLE PATH: is it a file of the site's own, and here? Leaves its role in ROLE.
is_own() {
  ROLE=$1
  is_there "$2" || return 1
  case $1 in
    vhost | map | link) ;;
    gone) if [ -L "$2" ]; then ROLE="link"; else ROLE=map; fi ;;
    *) return 1 ;;
  esac
}

# recorded RELEASE PATH: leaves in RECORDED where a release has the content of PATH, or the target of a link.
recorded() {
  name=$2
  while [ "$name" != "${name#*/}" ]; do name=${name%%/*}:${name#*/}; done
  RECORDED=$1/files/$name
}

# release_name ID: NUMBER.ID, one after the last, so that no clock decides what is newer.
release_name() {
  number=${LAST##*/}
  number=${number%%.*}
  number=${number#"${number%%[!0]*}"}
  printf '%s/%s/releases/%06d.%s' "$STORE" "$SITE" $((${number:-0} + 1)) "$1"
}

# record_found: what stands here by other hands is kept as a release of its own: the state before.
record_found() {
  is_unknown || return 0
  found=$STORE/$SITE/found.new
  rm -rf "$found"
  mkdir -p "$found/files" && describe "$found" found || return 1
  if [ -s "$found/state" ]; then
    name=$(release_name "$RUN-before")
    mv -fT "$found" "$name" && LAST=$name
  else
    rm -rf "$found"
  fi
}

# is_unknown: may something be here that no release holds? (Of what was only removed there is nothing to keep.)
is_unknown() {
  [ -n "$LAST" ] || return 0
  case $DRIFT in *'|changed'*) ;; *) return 1 ;; esac
}

# of_clients RELEASE: was it a change of the gate's clients only?
of_clients() {
  kind_of "$1"
  case $KIND in rotate | revoke_previous | add_client | revoke_client) ;; *) return 1 ;; esac
}

# prune_releases: the last ten stay, and the last ten changes of clients; no rotation pushes a deploy out.
prune_releases() {
  sites=0 clients=0
  find_releases
  for release in $RELEASES; do
    if of_clients "$release"; then
      clients=$((clients + 1)) count=$clients
    else
      sites=$((sites + 1)) count=$sites
    fi
    [ "$count" -le "$RELEASES_KEPT" ] || rm -rf "$release"
  done
}

# shellcheck shell=sh
# One change, whole or not at all: examine, prepare, swap, test, reload, commit; or put everything back.

JOURNAL=$STORE/$SITE/journal
BEGUN='' DONE='' SICK=''

# examine: is this host fit for the change, and what would it be? Changes nothing.
examine() {
  healthy=yes
  survey || healthy=no
  say fact nginx "$VERSION"
  check_layout
  find_releases
  say_last
  site_files
  find_drift
  [ "$healthy" = yes ] || refuse_sick
  find_master || refuse nginx-stopped "nginx is not running (no master process by $PID_FILE)"
  each_wanted say_file
  say_drift
}

say_file() { say file "$2" "$5"; }

# refuse_sick: nginx refuses its configuration already. Only where the fault is in a file of this very site may the
# change go on, since it puts that file right; SICK then spares the proof of what was broken before.
refuse_sick() {
  each_wanted is_blamed
  [ -n "$SICK" ] || refuse sick "$SAID"
  note "nginx refuses this site's own file as it stands ($SICK); this change puts it right"
}

# is_blamed ROLE PATH MODE CONTENT-FUNCTION STATE: nginx names a vhost by its link, or only the certificate that it names.
is_blamed() {
  case $SAID in
    *" in $2:"*) ;;
    *" in ${LINK_DIR:-}/${2##*/}:"*) [ "$1" = vhost ] || return 0 ;;
    *"\"$CHAIN\""* | *"\"$KEY\""*) [ "$1" = vhost ] || return 0 ;;
    *) return 0 ;;
  esac
  [ "$5" = same ] || SICK=$2
}

# settled: is everything here as it is wanted, and as a change of ours left it?
settled() {
  is_here && [ -n "$LAST" ] && [ -z "$DRIFT" ] || return 1
  kind_of "$LAST"
  [ "$KIND" != found ]
}

# is_here: is every wanted file as it is wanted?
is_here() { each_wanted is_same; }

is_same() { [ "$5" = same ]; }

# prepare: the new files beside their places, and the journal of what is there now.
prepare() {
  WHY="cannot write below $STORE/$SITE"
  mkdir -p "$JOURNAL.new/files" && echo "$RUN of $WHO" >"$JOURNAL.new/run" || return 1
  true >"$JOURNAL.new/before" || return 1
  [ -z "${EMPTIED:-}" ] || echo "emptied $EMPTIED" >"$JOURNAL.new/before" || return 1
  [ -z "$SICK" ] || echo "$SICK" >"$JOURNAL.new/sick" || return 1
  each_wanted make_room && each_wanted keep_target && each_wanted write_beside || return 1
  WHY="cannot begin the journal $JOURNAL"
  flush "$JOURNAL.new/before" && mv -fT "$JOURNAL.new" "$JOURNAL"
}

make_room() {
  WHY="cannot make the directory of $2"
  case $1 in
    client) keep_directory "${2%/*}" 700 ;;
    *) keep_directory "${2%/*}" 755 ;;
  esac
}

keep_target() {
  WHY="cannot keep $2"
  [ "$5" = same ] || keep "$2"
}

# change: from here on, every way out is `applied` or everything as before.
change() {
  step write
  WHY="cannot keep the state before below $STORE/$SITE"
  if ! record_found || ! prepare; then
    abandon "$JOURNAL.new"
    refuse write "$WHY"
  fi
  BEGUN=yes
  each_wanted swap || roll_back write "$WHY"
  FRESH=
  step test
  test_site || roll_back test "$TEST"
  step reload
  true >"$JOURNAL/reload" || roll_back write "cannot write below $JOURNAL$(why_not)"
  reload_nginx || roll_back reload "$WHY"
  step record
  # Before the commit: should the connection or the program end with it, the token is known to be the one.
  [ -z "$GENERATED" ] || say generated "$GENERATED"
  commit || roll_back write "cannot record the release below $STORE/$SITE$(why_not)"
}

# why_not: of a disk that is full by now the shell only says "I/O error"; cat tells.
why_not() {
  words=$(page 2>/dev/null | cat 2>&1 >"$JOURNAL/page")
  [ -z "$words" ] || printf ': %s' "$words"
}

# flush FILE…: what was written beside, and these, to the disk.
flush() {
  # shellcheck disable=SC2086 # our own paths, none with a blank
  sync $FRESH "$@" 2>/dev/null || sync
}

# test_site: nginx's test. Should this build refuse a second $connection_upgrade, once more without ours.
test_site() {
  test_nginx && return
  case $TEST in *duplicate*connection_upgrade*) ;; *) return 1 ;; esac
  case $WANTED in *"shared|$SHARED|"*) ;; *) return 1 ;; esac
  rm -f "$SHARED"
  note "another file defines \$connection_upgrade: deployed without $SHARED"
  test_nginx
}

# commit: one rename makes the journal a release; what was kept is dropped after it.
commit() {
  describe "$JOURNAL" "$VERB" || return 1
  name=$(release_name "$RUN")
  flush "$JOURNAL/state" && mv -fT "$JOURNAL" "$name" || return 1
  BEGUN='' DONE=yes
  tidy "$name"
  prune_releases
}

# roll_back CODE TEXT: says what failed, puts everything back, proves it.
roll_back() {
  trap '' TERM INT
  BEGUN=
  say error "$1"
  say_text text "$2"
  restore "$JOURNAL"
  finish rolled-back 1
}

# ended: whatever ends the program early (a signal, a slip of ours) still leaves wholly old or wholly new.
ended() {
  [ -z "$BEGUN" ] || [ ! -d "$JOURNAL" ] || roll_back ended "the program was ended before it was done"
  [ -z "$BEGUN$DONE" ] || finish applied 0
  abandon "$JOURNAL.new"
  finish failed 1
}

# shellcheck shell=sh disable=SC2034 # the parts share their variables
# Verb plan, and every verb with DRY: the change is told and not made; nothing is written on this host.

plan() {
  DRY=yes
  apply
}

show_change() {
  [ -z "$GENERATED" ] || note "the first deploy would generate a token for the client $GENERATED"
  each_wanted show_file
  finish planned 0
}

# show_file ROLE PATH MODE CONTENT-FUNCTION STATE: the file as it is and as it would be, without secrets.
show_file() {
  [ "$5" != same ] || return 0
  if [ -L "$2" ]; then
    readlink "$2" | show "before$TAB$2"
  elif [ -f "$2" ]; then
    redact <"$2" | show "before$TAB$2"
  fi
  [ "$5" = gone ] || $4 | redact | show "after$TAB$2"
}

show() { while IFS= read -r line; do say "$1" "$line"; done; }

# shellcheck shell=sh
# What the verbs that change something have in common: how they begin, and how they end. With DRY they only tell.

DRY=

begin() {
  [ -z "$DRY" ] || { step survey; return; }
  take_lock
  claim_run
  trap ended EXIT
  trap 'exit 1' TERM INT
  recover
  step survey
}

# carry_out FUNCTION: makes the change, unless FUNCTION says that there is nothing to do.
carry_out() {
  [ -z "$DRY" ] || show_change
  ! "$1" || finish unchanged 0
  change
  finish applied 0
}

# shellcheck shell=sh disable=SC2034 # the parts share their variables
# The clients of the gate, a file each: comments, then key lines, the newest first. No token leaves this host, none is
# an argument of a command, and no rollback brings one back.

# read_client PATH: leaves in CREATED, ROTATED, SCOPE, LIMIT, CURRENT and PREVIOUS what a client's file says.
read_client() {
  CREATED=$(dated created "$1") ROTATED=$(dated rotated "$1")
  CURRENT=$(key_lines "$1" | sed -n 1p)
  PREVIOUS=$(key_lines "$1" | sed -n 2p)
  grant=${CURRENT##* }
  grant=${grant%;}
  SCOPE=${grant%%:*} LIMIT=${grant#*:*:}
  [ "$LIMIT" != "$grant" ] || LIMIT=
}

dated() { sed -n "s/^# $1 \([0-9TZ:-]*\)\$/\1/p" "$2" | head -n 1; }

key_lines() { sed -n '/^"/p' "$1"; }

# key_of LINE: its first word, quotes included.
key_of() { printf '%s"' "${1%\"*}"; }

# fingerprint_of LINE: the first 12 digits of its token's SHA-256; nothing for a line that is not ours.
fingerprint_of() {
  token=${1#'"~^(?i:bearer) +'}
  [ "$token" != "$1" ] || return 0
  token=${token%\"*}
  printf '%s' "${token%'\z'}" | sed 's/[\\]//g' | sha256 | cut -c 1-12
}

each_client() { for path in "$CLIENTS"/*.map; do [ ! -f "$path" ] || "$1" "$path"; done; }

name_of() { name=${1##*/}; printf '%s' "${name%.map}"; }

# find_client: the file of CLIENT, which must be there and be one of ours.
find_client() {
  FILE=$CLIENTS/$CLIENT.map
  [ -e "$FILE" ] || refuse no-client "there is no client $CLIENT; there are: $(client_names)"
  check_target client "$FILE"
  read_client "$FILE"
}

client_names() {
  names=$(each_client name_line | tr '\n' ' ')
  names=${names% }
  printf '%s' "${names:-none}"
}

name_line() { name_of "$1"; echo; }

# readable: only a file that we can read is rewritten.
readable() {
  case $SCOPE in full | inference) ;; *) refuse client-file "$FILE holds no key line of the form that this suite writes" ;; esac
}

# unused: the token of FILE's NEW_KEY must not be another client's: the file that comes first would decide who it is.
unused() { each_client has_key; }

has_key() {
  [ "$1" = "$FILE" ] || ! has_new_key <"$1" || refuse same-token "the new token is the one of the client $(name_of "$1")"
}

has_new_key() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in "$NEW_KEY "*) return 0 ;; esac
  done
  return 1
}

# want_client FUNCTION: the client's file, as FUNCTION prints it.
want_client() { add client "$FILE" 600 "$1"; }

# heading CREATED ROTATED
heading() {
  echo "# Client \"$CLIENT\" of the bearer gate. This file holds a secret: keep it root's, mode 0600."
  echo "# created $1"
  echo "# rotated $2"
}

key_line() { printf '%s %s:%s;\n' "$NEW_KEY" "$SCOPE" "$CLIENT${LIMIT:+:$LIMIT}"; }

