# shellcheck shell=sh
# Which process holds a port that nginx cannot bind. Reads the kernel's tables, because `ss` may be missing.
# Needs: MASTER NF

# say_holders PORT ADDRESS: a line for each socket that prevents nginx from listening there, with its process.
say_holders() {
  case $2 in
    '['*) sockets=$(listeners tcp6 "$1" '[::]') ;;
    *) sockets=$(listeners tcp "$1" "$2") ;;
  esac
  # An IPv6 socket may also hold the IPv4 port.
  [ -n "$sockets" ] || sockets=$(listeners tcp6 "$1" '[::]')
  printf '%s\n' "$sockets" | while read -r inode address; do
    holders=$(holders_of "$inode")
    case " $holders " in
      *" $MASTER "*) echo "port $1 is held by nginx itself ($address)" ;;
      *[0-9]*) echo "port $1 is held by process $(command_of "${holders%% *}") (pid ${holders%% *}), at $address" ;;
      *) echo "port $1 is held by a process that cannot be seen from here, or is free by now" ;;
    esac
  done
}

command_of() { cat "/proc/$1/comm" 2>/dev/null; }

# listeners TABLE PORT ADDRESS: INODE ADDRESS:PORT of each socket that conflicts with this one. (The table has the bytes
# of each word of an address in reverse order.)
listeners() {
  awk -v port="$2" -v wanted="$3" '
    function number(hex, i, sum) {
      for (i = 1; i <= length(hex); i++) sum = sum * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
      return sum
    }
    function byte(hex, i) { return substr(hex, i, 2) }
    function ipv4(hex, i, bytes) {
      for (i = 7; i > 0; i -= 2) bytes = bytes "." number(byte(hex, i))
      return substr(bytes, 2)
    }
    function ipv6(hex, i, groups) {
      if (hex ~ /^0*$/) return "[::]"
      for (i = 1; i < 32; i += 8)
        groups = groups ":" byte(hex, i + 6) byte(hex, i + 4) ":" byte(hex, i + 2) byte(hex, i)
      return "[" tolower(substr(groups, 2)) "]"
    }
    $4 == "0A" && split($2, at, ":") == 2 && number(at[2]) == port {
      address = length(at[1]) == 8 ? ipv4(at[1]) : ipv6(at[1])
      if (wanted ~ /^(0\.0\.0\.0|\[::\])$/ || address == wanted || at[1] ~ /^0*$/) print $10, address ":" port
    }' "/proc/net/$1" 2>/dev/null
}

# holders_of INODE: the PIDs of the processes that have this socket open.
holders_of() {
  find /proc/[0-9]*/fd -exec ls -ld {} + 2>/dev/null | awk -v socket="socket:[$1]" '
    $NF == socket { split($(NF - 2), part, "/"); if (!seen[part[3]]++) pids = pids " " part[3] }
    END { print substr(pids, 2) }'
}
