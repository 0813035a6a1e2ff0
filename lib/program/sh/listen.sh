# shellcheck shell=sh
# The addresses that a vhost listens on. nginx gives a connection to the most specific address: if other vhosts have
# `listen ADDRESS:443`, a wildcard gets no connections there; and a reload cannot bind a wildcard over an address that
# nginx already listens on. The options of a listen line apply to the whole socket, which other vhosts may share.
# Needs: LISTENS SERVER_NAMES VHOST_ORDER
# Leaves: PLAN

USUAL_PLAN='80|*| 80|[::]| 443|*| 443|[::]|'
PLAN=$USUAL_PLAN

# plan_listens FILE [current]: leaves in PLAN a word PORT|ADDRESS|OPTIONS for each address that the vhost which nginx
# reads as FILE should listen on; reports at which address to query it, and where it becomes the default server.
# `current`: reports both for the vhost as it is, without a plan.
plan_listens() {
  PLAN='' default_on=''
  ipv6=''
  ! has_ipv6 || ipv6=yes
  while read -r word port address about; do
    case $word in
      listen) PLAN="$PLAN${PLAN:+ }$port|$address|$about" ;;
      default)
        [ "$address" = '*' ] || port=$address:$port
        default_on="$default_on${default_on:+, }$port"
        ;;
      ask) say row listen "$port" "$address" "$about" ;;
      stream) refuse stream "a stream block of this nginx listens on port $port ($about), which this site needs" ;;
      restart) refuse restart "nginx listens on single addresses of port $port and $about on all of them: only a restart can do that" ;;
    esac
  done <<END
$(listens_of "$1" "$VHOST_ORDER!$1!" "${2-}")
END
  say_default
}

# say_default: without another default server, the site also answers for unknown names and the bare address.
say_default() {
  [ -n "$default_on" ] && [ -n "$SERVER_NAMES" ] || return 0
  say fact default_server "$default_on"
}

# listens_of FILE ORDER [current]: the lines that plan_listens reads.
listens_of() {
  awk -v ours="$1" -v order="$2" -v ipv6="$ipv6" -v current="${3-}" '
    function is_wild(address) { return address == "*" || address == "[::]" }
    function is_loopback(address) { return address ~ /^127\.|^localhost$|^\[::1\]$/ }
    # The sockets that the kernel has: none, wild or single.
    function bound(port, family, table, line, word, local, found) {
      table = "/proc/net/tcp" (family == 6 ? "6" : "")
      found = "nothing"
      while ((getline line < table) > 0) {
        split(line, word, " ")
        if (word[4] != "0A" || split(word[2], local, ":") != 2 || local[2] != sprintf("%04X", port)) continue
        if (local[1] ~ /^0+$/) found = "wild"
        else if (found == "nothing") found = "single"
      }
      close(table)
      return found
    }
    function host_addresses(family, command, line, word, list) {
      command = "ip -o -" family " addr show scope global 2>/dev/null"
      while ((command | getline line) > 0) {
        if (line ~ /temporary|deprecated|tentative/) continue
        split(line, word, " "); sub(/\/.*/, "", word[4])
        list = list (family == 6 ? "[" word[4] "]" : word[4]) " "
      }
      close(command)
      return list
    }
    function take(port, address, options, key) {
      key = port " " address
      if (taken[key]++) return
      if (key in used) {
        if (option[key] ~ / proxy_protocol /) options = ",proxy_protocol"
        if (option[key] !~ / http2 /) options = options ",-http2"
      }
      print "listen " key " " substr(options, 2)
      got[port " " (address ~ /^\[/ ? 6 : 4)] = 1
      planned[port] = planned[port] address " "
    }
    function take_all(port, list, n, i, address) {
      n = split(list, address, " ")
      for (i = 1; i <= n; i++) take(port, address[i])
    }
    # The addresses in `list` that the host still has, or all of them if that cannot be determined.
    function kept(list, there, n, i, address, result) {
      if (there == "") return list
      n = split(list, address, " ")
      for (i = 1; i <= n; i++) if (index(" " there, " " address[i] " ")) result = result address[i] " "
      return result
    }
    function plan(port, family, side, wildcard, has, there) {
      side = port " " family
      wildcard = family == 6 ? "[::]" : "*"
      if (family == 6 && !ipv6) return
      # An IPv6 socket may also serve IPv4.
      if (family == 4 && dual[port] && !wild[side] && single[side] == "") return
      has = single[side] own_single[side] != "" || loopback[side] ? bound(port, family) : "nothing"
      if (has == "wild" && (wild[side] || own_wild[side]) || has == "nothing" && (wild[side] || single[side] == "")) {
        take(port, wildcard)
        take_all(port, single[side])
        return
      }
      if (wild[side] && has == "single") { print "restart " port " " wildcard " " wild[side]; return }
      take_all(port, single[side])
      there = host_addresses(family)
      take_all(port, kept(own_single[side], there))
      if (!got[side]) take_all(port, there)
    }
    # An address at which the vhost answers connections from this host itself.
    function ask(port, list, n, i, address, chosen, last) {
      n = split(list, address, " ")
      for (i = 1; i <= n; i++) {
        if (chosen == "" || chosen ~ /^\[/ && address[i] !~ /^\[/) chosen = address[i]
      }
      if (chosen == "") return
      last = option[port " " chosen] own_option[port " " chosen]
      if (chosen == "*") { chosen = "127.0.0.1"; for (i = 2; port " " chosen in used; i++) chosen = "127.0.0." i }
      if (chosen == "[::]") chosen = "[::1]"
      print "ask " port " " chosen (last ~ / proxy_protocol / ? " proxy_protocol" : "")
    }
    function defaults(port, list, n, i, address, key) {
      n = split(list, address, " ")
      for (i = 1; i <= n; i++) {
        key = port " " address[i]
        if (is_default[key] || own_option[key] ~ / default(_server)? /) continue
        if (!(key in first) || order "" < first[key] "") print "default " key
      }
    }
    !NF { next }
    $1 == "stream" { streams[++count] = $0; next }
    {
      key = $2 " " $3; side = $2 " " ($3 ~ /^\[/ ? 6 : 4)
      options = " "; for (i = 6; i <= NF; i++) options = options $i " "
      if ($5 == ours) {
        own_option[key] = own_option[key] options
        own[$2] = own[$2] $3 " "
        if (is_wild($3)) own_wild[side] = 1
        else if (!is_loopback($3)) own_single[side] = own_single[side] $3 " "
        if (current) order = $4
        next
      }
      option[key] = option[key] options
      if (options ~ / default(_server)? /) is_default[key] = 1
      if (!(key in first) || $4 "" < first[key] "") first[key] = $4
      if (is_loopback($3)) loopback[side] = 1
      else if (is_wild($3)) { wild[side] = $5; if (options ~ / ipv6only=off /) dual[$2] = 1 }
      else if (!(key in used)) single[side] = single[side] $3 " "
      used[key] = 1
    }
    function conflicts(word, list, n, i, address) {
      n = split(list, address, " ")
      for (i = 1; i <= n; i++) {
        if ((address[i] ~ /^\[/) != (word ~ /^\[/)) continue
        if (address[i] == word || is_wild(address[i]) || is_wild(word)) return 1
      }
    }
    END {
      split("80 443", ports, " ")
      for (p = 1; p <= 2; p++) {
        port = ports[p]
        if (current) planned[port] = own[port]
        else { plan(port, 4); plan(port, 6) }
        ask(port, planned[port])
        defaults(port, planned[port])
      }
      for (i = 1; i <= count && !current; i++) {
        split(streams[i], word, " ")
        if (conflicts(word[3], planned[word[2]])) print streams[i]
      }
    }' <<END
$LISTENS
END
}

# vhost_text FUNCTION: adapts a vhost, which is written for the oldest nginx with IPv6 and no other vhosts, to this
# host.
vhost_text() {
  modern=''
  ! at_least 1 25 1 || modern=yes
  if [ "$PLAN$modern" = "$USUAL_PLAN" ]; then for_this_nginx "$1"; else for_this_nginx "$1" | with_listens; fi
}

# with_listens: a vhost on stdin, with the addresses in PLAN instead of its own for the same port.
with_listens() {
  awk -v plan="$PLAN" -v modern="$modern" '
    function put(spec, options) {
      print indent "listen " spec options ";"
      if (http2 && modern) print indent "http2 on;"
      http2 = 0
    }
    BEGIN { count = split(plan, entry, " ") }
    /^[ \t]*server[ \t]*\{/ { split("", done) }
    !/^[ \t]*listen[ \t]/ { print; next }
    {
      indent = $0; sub(/listen.*/, "", indent)
      options = $0; sub(/;.*/, "", options); sub(/^[ \t]*listen[ \t]+[^ \t]+/, "", options)
      port = $2; sub(/;.*/, "", port); sub(/^.*:/, "", port)
      if (port != 80 && port != 443) { print; next }
      if (done[port]++) next
      http2 = options ~ / http2( |$)/
      if (modern) sub(/ http2/, "", options)
      for (i = 1; i <= count; i++) {
        split(entry[i], part, "|")
        if (part[1] != port) continue
        mine = options
        if (part[3] ~ /-http2/) sub(/ http2/, "", mine)
        if (part[3] ~ /proxy_protocol/ && mine !~ / proxy_protocol/) mine = mine " proxy_protocol"
        put(part[2] == "*" ? port : part[2] ":" port, mine)
      }
    }'
}

has_ipv6() { read -r address 2>/dev/null </proc/net/if_inet6; }
