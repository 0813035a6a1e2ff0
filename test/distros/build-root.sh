#!/bin/sh
# Builds the root file system of a Debian suite, unless it exists, and prints its folder. It is kept between runs,
# outside of
# the checkout: in $GATEPOST_DISTROS, or gatepost/distros in $XDG_CACHE_HOME (~/.cache). Remove the folder to rebuild
# it.
# trixie also gets a custom nginx in /opt, built from the source of Debian's package.
# Usage: build-root.sh SUITE
set -eu
suite=$1
cache=${GATEPOST_DISTROS:-${XDG_CACHE_HOME:-$HOME/.cache}/gatepost/distros}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=$cache/$suite
packages='nginx libnginx-mod-stream openssh-server sudo certbot openssl ca-certificates iproute2 procps'
case $suite in bullseye | bookworm) ;; *) packages="$packages sudo-rs" ;; esac
# It has the first certbot that orders certificates for addresses, and a Pebble that issues them without a common name.
[ "$suite" != sid ] || packages="$packages pebble"
build_packages='gcc make libc6-dev libpcre2-dev zlib1g-dev libssl-dev'
# Different from every packaged nginx: folders, name of the PID file, user.
home=/opt/gatepost-nginx
configuration="--prefix=$home --conf-path=$home/etc/web.conf --pid-path=$home/run/web.pid --error-log-path=$home/log/web.log
	--http-log-path=$home/log/access.log --user=webd --group=webd --with-http_ssl_module --with-http_v2_module
	--with-http_realip_module --with-http_stub_status_module --with-stream --with-stream_ssl_preread_module"

say() { printf '%s\n' "distros: $suite: $*" >&2; }

# logged COMMAND…: prints the end of the log if it fails.
logged() {
	nice "$@" >>"$root.log" 2>&1 || {
		tail -n 20 "$root.log" >&2
		exit 1
	}
}

# inside keep|discard COMMANDS: runs them in the root; `discard` keeps only their files in /opt.
inside() {
	# shellcheck disable=SC2016 # for the inner shell
	logged unshare --mount sh -euc '
		root=$1
		if [ "$2" = discard ]; then
			mount -t tmpfs discard /mnt
			mkdir /mnt/upper /mnt/work /mnt/root
			mount -t overlay discard -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
			root=/mnt/root
			mount --bind "$1/opt" "$root/opt"
		fi
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		cp /etc/resolv.conf "$root/etc/resolv.conf"
		export DEBIAN_FRONTEND=noninteractive
		exec chroot "$root" sh -euc "$3"' sh "$root" "$@"
}

base_system() {
	say 'debootstrap, a minute or two'
	rm -rf "$root.partial"
	logged debootstrap --variant=minbase "$suite" "$root.partial" "$mirror"
	# No service may start; and the mirror may be a copy that is no longer updated.
	printf '#!/bin/sh\nexit 101\n' >"$root.partial/usr/sbin/policy-rc.d"
	chmod 755 "$root.partial/usr/sbin/policy-rc.d"
	echo 'Acquire::Check-Valid-Until "false";' >"$root.partial/etc/apt/apt.conf.d/90mirror"
	mv "$root.partial" "$root"
}

# With apt-get, because debootstrap --include fails to configure certbot's packages.
install_packages() {
	say "apt-get install $packages"
	inside keep "apt-get -q update; apt-get -q -y --no-install-recommends install $packages; apt-get clean"
	printf '%s\n' "$packages" >"$root/packages"
}

own_nginx() {
	say "building nginx for $home, about two minutes"
	inside discard "echo 'deb-src $mirror $suite main' >>/etc/apt/sources.list
		apt-get -q update
		apt-get -q -y --no-install-recommends install $build_packages
		cd /usr/src
		apt-get -q source --tar-only nginx
		tar -xf nginx_*.orig.tar.*
		cd nginx-*/
		./configure $(echo "$configuration" | tr -d '\n')
		make -j2
		rm -rf /opt/partial
		make install DESTDIR=/opt/partial
		mv /opt/partial$home $home
		rm -r /opt/partial"
}

mkdir -p "$cache"
[ -d "$root" ] || base_system
[ "$(cat "$root/packages" 2>/dev/null)" = "$packages" ] || install_packages
[ "$suite" != trixie ] || [ -x "$root$home/sbin/nginx" ] || own_nginx
printf '%s\n' "$root"
