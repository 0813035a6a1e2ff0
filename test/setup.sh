#!/bin/sh
# Installs the lab's missing packages on this machine and reports that; does nothing if all are there.
# Additional programs are arguments: setup.sh PROGRAM:PACKAGE…
set -eu
cd "${0%/*}/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
policy=/usr/sbin/policy-rc.d
more=$*

say() { printf '%s\n' "setup: $*" >&2; }

node_packages() {
	installed=node_modules/.package-lock.json
	[ ! -e $installed ] || [ -n "$(find package-lock.json -newer $installed)" ] || return 0
	command -v npm >/dev/null 2>&1 || {
		say 'missing: Node 20 or newer, with npm'
		exit 1
	}
	say 'installing npm packages (npm ci)'
	npm ci --no-audit --no-fund >&2
	touch $installed
}

# PROGRAM:PACKAGE, with Debian's names.
missing() {
	for pair in $more nginx:nginx sshd:openssh-server ssh:openssh-client openssl:openssl certbot:certbot pebble:pebble \
		sudo:sudo ip:iproute2 nft:nftables ps:procps unshare:util-linux useradd:passwd curl:curl \
		dropbear:dropbear-bin tinysshd:tinysshd mksh:mksh ksh93:ksh93u+m; do
		command -v "${pair%:*}" >/dev/null 2>&1 || printf ' %s' "${pair#*:}"
	done
}

restore_policy() {
	rm -f "$policy"
	[ ! -e "$policy.before-gatepost" ] || mv "$policy.before-gatepost" "$policy"
}

# Services of the packages must not start: policy-rc.d forbids it while apt runs.
install_packages() {
	say "installing Debian packages:$1"
	trap restore_policy EXIT
	trap 'exit 1' HUP INT TERM
	[ ! -e "$policy" ] || [ -e "$policy.before-gatepost" ] || mv "$policy" "$policy.before-gatepost"
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update >&2
	# shellcheck disable=SC2086 # one word per package
	apt-get -q -y --no-install-recommends install $1 >&2
}

debian_packages() {
	lacking=$(missing)
	[ -n "$lacking" ] || return 0
	if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
		install_packages "$lacking"
		lacking=$(missing)
		[ -n "$lacking" ] || return 0
	fi
	say "missing:$lacking"
	say 'as root on Debian or Ubuntu, this script installs them; elsewhere, install the programs of these packages'
	exit 1
}

node_packages
debian_packages
