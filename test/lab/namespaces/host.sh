#!/bin/sh
# Turns the namespaces it is started in into one host of the lab, prints `ready`, and stays to keep them alive.
# Usage: host.sh NAME ROLE INTERNET LAN [ROOT] (- for no address); ROLE is proxy, jump or plain; ROOT is the root
# file system of another distribution, which is not modified.
set -eu
name=$1 role=$2 internet=$3 lan=$4 root=${5-}
here=${0%/*}
checkout=${here%/test/lab/namespaces} state=/run/gatepost-lab/hosts/$1 shared=/run/gatepost-lab/shared

network() {
	{
		echo link set lo up
		[ "$internet" = - ] || printf 'addr add %s/24 dev eth0\nlink set eth0 up\n' "$internet"
		[ "$lan" = - ] || printf 'addr add %s/24 dev eth1\nlink set eth1 up\n' "$lan"
	} | ip -batch -
	echo "$name" >/proc/sys/kernel/hostname
}

# From here on, every program is the distribution's; the checkout is no longer visible.
enter_root() {
	checkout=
	mount --bind "$root" "$root"
	for dir in dev proc sys run; do mount --rbind "/$dir" "$root/$dir"; done
	mount -o remount,ro,bind "$root"
	cd "$root"
	pivot_root . .
	umount -l .
	cd /
}

overlay() {
	for dir in /etc /var /home /opt /usr/local /root; do
		layer=$state/${dir##*/}
		mkdir -p "$layer/upper" "$layer/work"
		mount -t overlay lab -o "lowerdir=$dir,upperdir=$layer/upper,workdir=$layer/work" "$dir"
	done
	# The login files of this machine's root are slow at best: version managers wait for locks.
	rm -f /root/.profile /root/.bash_profile /root/.bash_login /root/.bashrc
}

files() {
	cp "$shared/hosts" /etc/hosts
	echo "127.0.1.1 $name" >>/etc/hosts
	echo "$name" >/etc/hostname
	mkdir -p /usr/local/share/ca-certificates
	cp "$shared/ca.pem" /usr/local/share/ca-certificates/gatepost-lab.crt
	cat "$shared/ca.pem" >>/etc/ssl/certs/ca-certificates.crt
}

# An account with key login only; without UsePAM, sshd rejects a locked one ("!").
account() {
	id -u "$1" >/dev/null 2>&1 || useradd -m -p '*' -s /bin/bash "$1"
	home=$(getent passwd "$1" | cut -d: -f6)
	rm -rf "$home/.ssh"
	mkdir -m 700 "$home/.ssh"
	cp "$shared/operator.pub" "$home/.ssh/authorized_keys"
	chown -R "$1:" "$home/.ssh"
}

secure_shell() {
	for user in root ncantu nosudo; do account "$user"; done
	rm -f /etc/ssh/ssh_host_*
	for type in ed25519 ecdsa; do ssh-keygen -q -t "$type" -N '' -C "$name" -f "/etc/ssh/ssh_host_${type}_key"; done
	address=0.0.0.0
	[ "$role" = jump ] || address=$lan
	cat >/etc/ssh/sshd_config <<-END
		ListenAddress $address
		HostKey /etc/ssh/ssh_host_ed25519_key
		HostKey /etc/ssh/ssh_host_ecdsa_key
		PidFile /run/sshd.pid
		UsePAM no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PrintMotd no
		PrintLastLog no
		MaxStartups 200
		LogLevel VERBOSE
		AcceptEnv LANG LC_*
		Subsystem sftp internal-sftp
	END
}

superuser() {
	rm -rf /etc/sudoers.d
	mkdir -m 750 /etc/sudoers.d
	cat >/etc/sudoers <<-END
		Defaults env_reset
		Defaults mail_badpass
		Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		Defaults use_pty
		Defaults logfile=/var/log/sudo.log
		root ALL=(ALL:ALL) ALL
		%sudo ALL=(ALL:ALL) ALL
		@includedir /etc/sudoers.d
	END
	echo 'ncantu ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/ncantu
	chmod 440 /etc/sudoers /etc/sudoers.d/ncantu
}

certificate() {
	[ -e "$shared/fullchain.pem" ] || return 0
	live=/etc/letsencrypt/live/ia.enso.4nkweb.com
	mkdir -p "$live"
	cp "$shared/fullchain.pem" "$live/fullchain.pem"
	install -m 600 "$shared/privkey.pem" "$live/privkey.pem"
}

web_server() {
	install -m 755 "$shared/systemctl.sh" /usr/local/bin/systemctl
	[ "$(nproc)" -le 4 ] || sed -i 's/^worker_processes auto;/worker_processes 2;/' /etc/nginx/nginx.conf
}

# The checkout stays visible if it is below /tmp.
private_folders() {
	mkdir -p "$state/tmp" "$state/run"
	mount -t tmpfs -o mode=1777 lab "$state/tmp"
	case $checkout in
	/tmp/?*)
		mkdir -p "$state$checkout"
		mount --bind "$checkout" "$state$checkout"
		;;
	esac
	mount --rbind "$state/tmp" /tmp
	mount -t tmpfs -o mode=755 lab "$state/run"
	mkdir -p "$state/run/sshd" "$state/run/lock"
	mount --rbind "$state/run" /run
}

network
[ -z "$root" ] || enter_root
overlay
files
[ "$role" = plain ] || secure_shell
if [ "$role" = proxy ]; then
	superuser
	certificate
	web_server
fi
private_folders
[ "$role" = plain ] || /usr/sbin/sshd -E /var/log/sshd.log
[ "$role" != proxy ] || nginx
echo ready
exec sleep infinity >/dev/null 2>&1
