# shellcheck shell=sh
# Parses a dump of nginx's configuration (`nginx -T -V`) as a stream and never stores it: it contains every token.

# digest [PREFIX [VARIABLES]]: a dump as lines for `survey`; PREFIX is the master's own `-p`.
#   version NUMBER, conf FILE, pid FILE, error_log FILE, says TEXT, accepted
#   includes ORDER PATTERN END               an include of the http context, with its place in the configuration; END is the
#                                            required ending of included names: .conf if possible, - for a single file or a
#                                            pattern that none of our names can match
#   elsewhere CONTEXT PATTERN                an include of another context, which cannot contain vhosts
#   listens PORT ADDRESS ORDER FILE OPTION…  of a server in http, on port 80 or 443; ADDRESS as configured, or *
#   stream PORT ADDRESS FILE                 of a server in stream
#   defines FILE, uses FILE                  files with $connection_upgrade
#   claims FILE NAME                         a file that defines one of VARIABLES
#
# The dump has each file once, after the file that includes it. So a file's context is that of the include line that it
# matches; ORDER sorts in nginx's reading order: the place of that line, then the file, then the place in it.
digest() {
  awk -v prefix="${1-}" -v variables="${2-}" '
    function absolute(path, base) { return path ~ /^\// ? path : base "/" path }
    # (Directories have their own index, so that a thousand files are not compared with a thousand patterns.)
    function remember(pattern, order, directory) {
      if (pattern !~ /[*?[]/) { if (!(pattern in literal)) literal[pattern] = context "\n" order; return }
      directory = pattern; sub(/\/[^\/]*$/, "", directory)
      if (directory ~ /[*?[]/) directory = "*"
      globs[directory] = globs[directory] context "\n" order "\n" pattern "\n"
    }
    function as_regex(glob) {
      gsub(/[.+(){}|^$\\]/, "\\\\&", glob); gsub(/\*/, "[^/]*", glob); gsub(/\?/, "[^/]", glob)
      gsub(/\[!/, "[^", glob)
      return "^" glob "$"
    }
    function end_of(pattern, folder) {
      folder = pattern; sub(/\/[^\/]*$/, "", folder)
      if (folder ~ /[*?[]/ || pattern !~ /[*?[]/) return "-"
      if (folder "/gatepost.conf" ~ as_regex(pattern)) return ".conf"
      sub(/^.*\//, "", pattern)
      return pattern ~ /^\*[^*?[]+$/ ? substr(pattern, 2) : "-"
    }
    function find_includer(path, directory, list, n, i, part) {
      if (path in literal) { split(literal[path], part, "\n"); context = part[1]; base = part[2]; return }
      directory = path; sub(/\/[^\/]*$/, "", directory)
      n = split(globs[directory] globs["*"], list, "\n")
      for (i = 1; i + 2 <= n; i += 3)
        if (path ~ as_regex(list[i + 2])) { context = list[i]; base = list[i + 1]; return }
      context = "unknown"; base = ""
    }
    function begin_file(path) {
      file = path; depth = 0; words = quote = ""; number = 0; lua = 0
      if (conf == "") {
        conf = path; directory_of_conf = path; sub(/\/[^\/]*$/, "", directory_of_conf)
        print "conf " path
        context = base = ""
      } else find_includer(path)
      order = base (base == "" ? "" : "!" path "!")
      gsub(/[ \t]/, "?", order)
    }
    function place() { return order sprintf("%06d", number) }
    function listen(n, word, address, port, options, i, key) {
      if (word[2] ~ /^unix:/) return
      for (i = 3; i <= n; i++) if (word[i] == "quic" || word[i] == "udp") return
      address = word[2]; port = 80
      if (address ~ /^[0-9]+$/) { port = address; address = "*" }
      else if (match(address, /:[0-9]+$/)) { port = substr(address, RSTART + 1); address = substr(address, 1, RSTART - 1) }
      if (address == "0.0.0.0") address = "*"
      if (address ~ /^\[[0:]*\]$/) address = "[::]"
      if (port != 80 && port != 443) return
      for (i = 3; i <= n; i++) options = options " " word[i]
      key = context port address file options
      if (reported[key]++) return
      if (context ~ /^\/stream/) print "stream " port " " address " " shown()
      else if (context ~ /^\/http\/server$/) print "listens " port " " address " " place() " " shown() options
    }
    function shown(path) { path = file; gsub(/[ \t]/, "?", path); return path }
    # A directive, with its words in `words`; END is ; or {.
    function directive(end, n, word, pattern) {
      number++
      n = split(words, word, " ")
      words = ""
      if (end == "{") {
        if (word[1] ~ /^(map|geo|split_clients)$/ && word[n] in ours && !claimed[file]++)
          print "claims " shown() " " substr(word[n], 2)
        stack[++depth] = context
        if (word[1] ~ /_by_lua_block$/) lua = 1
        context = context "/" word[1]
        if (context == "/http/server") { listening = 0; server = place() }
        return
      }
      if (word[1] == "include") {
        pattern = absolute(word[2], directory_of_conf); gsub(/\037/, "?", pattern)
        remember(pattern, place())
        if (context == "/http") print "includes " place() " " pattern " " end_of(pattern)
        else if (context == "" || context == "/stream") print "elsewhere " (context == "" ? "main" : "stream") " " pattern
        else if (context == "/http/server") listening = 1
      } else if (word[1] == "listen" && context ~ /^\/(http|stream)\/server$/) {
        listening = 1
        listen(n, word)
      } else if (context == "" && word[1] == "pid") print "pid " absolute(word[2], prefix)
      else if (context == "" && word[1] == "error_log" && word[2] !~ /^(stderr$|syslog:|memory:)/ && !logged++)
        print "error_log " absolute(word[2], prefix)
    }
    function close_block(none) {
      if (context == "/http/server" && !listening) { number++; none[2] = "80"; listen(2, none) }
      if (depth > 0) context = stack[depth--]
    }
    # Lua between braces is skipped by counting braces.
    function skip_lua(rest) {
      gsub(/"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/, "", rest); sub(/--.*/, "", rest)
      lua += gsub(/\{/, "", rest); lua -= gsub(/\}/, "", rest)
      if (lua < 1) { lua = 0; close_block() }
    }
    # Words end at blanks; quotes and # are special only at the start of a word, } only at the start of a directive.
    function scan(rest, c, head) {
      for (;;) {
        if (quote != "") {
          if (!match(rest, "[\\\\" quote "]")) { words = words rest; return }
          head = substr(rest, 1, RSTART - 1); c = substr(rest, RSTART, 1); rest = substr(rest, RSTART + 1)
          gsub(/[ \t]/, "\037", head); words = words head
          if (c == "\\") { words = words substr(rest, 1, 1); rest = substr(rest, 2) } else quote = ""
          continue
        }
        if (!match(rest, /["\047#;{}\\]/)) { words = words rest " "; return }
        words = words substr(rest, 1, RSTART - 1); c = substr(rest, RSTART, 1); rest = substr(rest, RSTART + 1)
        if (c == "\\") { words = words c substr(rest, 1, 1); rest = substr(rest, 2) }
        else if (c == ";") directive(c)
        else if (c == "{" && words ~ /\$$/) words = words c
        else if (c == "{") { directive(c); if (lua) { skip_lua(rest); return } }
        else if (words !~ /(^|[ \t])$/) words = words c
        else if (c == "#") return
        else if (c == "}") { if (words ~ /^[ \t]*$/) { words = ""; close_block() } else words = words c }
        else quote = c
      }
    }
    BEGIN { split(variables, list, " "); for (i in list) ours["$" list[i]] }
    /^# configuration file .*:$/ { path = substr($0, 22); sub(/:$/, "", path); begin_file(path); next }
    /^# gatepost accepted$/ { print "accepted"; next }
    file == "" && / version: / {
      if (match($0, /nginx\/[0-9.]+/)) print "version " substr($0, RSTART + 6, RLENGTH - 6)
      else if (match($0, /\/[0-9.]+/)) print "version " substr($0, RSTART + 1, RLENGTH - 1)
      next
    }
    file == "" && /^configure arguments: / {
      built = "/usr/local/nginx"; pid = "logs/nginx.pid"; log_file = "logs/error.log"
      for (i = 3; i <= NF; i++) {
        if (sub(/^--prefix=/, "", $i)) built = $i
        if (sub(/^--pid-path=/, "", $i)) pid = $i
        if (sub(/^--error-log-path=/, "", $i)) log_file = $i
      }
      if (prefix == "") prefix = built
      sub(/\/+$/, "", prefix)
      print "pid " absolute(pid, prefix)
      if (log_file != "stderr") print "error_log " absolute(log_file, prefix)
      next
    }
    file == "" && /^nginx: |\[(emerg|alert|crit|error|warn)\]/ {
      print "says " $0
      if (match($0, /^nginx: configuration file .* test failed$/)) {
        path = $0; sub(/^nginx: configuration file /, "", path); sub(/ test failed$/, "", path)
        print "conf " path
      }
      next
    }
    # A client file of a gate, or any other map: long and irrelevant here.
    context ~ /\/(map|geo|types|split_clients)$/ && depth == 0 { next }
    /\$(connection_upgrade|\{connection_upgrade\})/ {
      line = $0; sub(/(^|[ \t])#.*/, "", line)
      if (line ~ /\$(connection_upgrade|\{connection_upgrade\})["\047]?[ \t]*(\{|$)/) { if (!defines[file]++) print "defines " file }
      else if (line ~ /\$(connection_upgrade([^a-z0-9_]|$)|\{connection_upgrade\})/ && !uses[file]++) print "uses " file
    }
    lua { skip_lua($0); next }
    { scan($0) }'
}
