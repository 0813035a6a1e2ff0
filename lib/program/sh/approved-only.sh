#!/bin/sh
# Runs, as root, a program of gatepost that root has approved on this host, and nothing else. It stands at
# /usr/local/sbin/gatepost-run, and is the only command that sudo need allow; its list is in /etc/gatepost/programs.
#
# The program comes on stdin. What differs from run to run (ids, times, names, tokens) is masked, each by its form; the
# sum of all the rest must be in the list. What is run is the very text that was judged.
trap '' HUP PIPE
set -u
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# mask: a line that may differ begins with `?` afterwards, every other one with `=`, so that none can pass for another.
# A token has a backslash before all but letters and digits, and none of the three characters that could end its line's
# quotes.
mask() {
  sed -E '
s/^/=/
s/^=(RUN|ASKED)='\''[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}'\''$/?\1/
s/^=NOW='\''[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'\''$/?NOW/
s/^=WHO='\''[A-Za-z0-9@._-]+'\''$/?WHO/
s/^=TO='\''([0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}(-before)?)?'\''$/?TO/
s/^=(CLIENT|ABOUT)='\''[a-z0-9][a-z0-9_-]*'\''$/?\1/
s/^=(CHALLENGE_NAME|CHALLENGE_TEXT)='\''[A-Za-z0-9_-]+'\''$/?\1/
s/^=COMMON_NAME='\''[A-Za-z0-9._-]+'\''$/?COMMON_NAME/
s/^=ALTERNATIVE_NAMES='\''(IP|DNS):[A-Za-z0-9.:-]+'\''$/?ALTERNATIVE_NAMES/
s/^=# (created|rotated) [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/?\1/
s/^=(content_0\(\) \{ printf %s '\'')?"~\^\(\?i:bearer\) \+([A-Za-z0-9]|\\[]!#-&(-/:-@[^_`{-~])+\\z"( full:default;)?$/?\1token\3/
'
}

# For who makes the list.
if [ "$*" = mask ]; then
  mask
  exit
fi

text=$(cat && echo .)
text=${text%.}
sum=$(printf '%s' "$text" | mask | sha256sum)
if ! grep -qs "^${sum%% *} " /etc/gatepost/programs/*; then
  echo 'gatepost-run: this program is not approved on this host' >&2
  exit 77
fi
eval "$text"
