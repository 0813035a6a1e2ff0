# shellcheck shell=sh
# The lines of client files, for awk: parsing, writing, and the rules for a change of one client. Tokens pass only
# through pipes and variables, never through command arguments.
# Needs: CREATED_MARK DOLLAR HEADER_END HEADER_START KEY_SIZE LINE_SIZE OLD_KEY_START ROTATED_MARK

# read_key(LINE): is it a token line? Leaves form (hashed, exact, old), token, and its grant: scope, name, generation,
# limit, at_once, end, state. key_line(): the line for these. generate(PRINT): their generation (client-map.ts).
# read_times(): created and rotated, if the line is such a comment. client_of(PATH): the client of the file. header(NAME): its
# first line.
#
# lines_awk PROGRAM [OPERAND…]: runs PROGRAM with these functions.
lines_awk() {
  program=$1
  shift
  LINES_START=$OLD_KEY_START awk -v dollar="$DOLLAR" -v key_size="$KEY_SIZE" -v line_size="$LINE_SIZE" \
    -v created_mark="$CREATED_MARK" -v rotated_mark="$ROTATED_MARK" -v header_start="$HEADER_START" -v header_end="$HEADER_END" "$program"'
BEGIN { old_start = ENVIRON["LINES_START"] }
function read_key(line,  word, n, grant, at) {
  form = ""; n = split(line, word, "\"")
  if (n == 5 && word[1] == "" && substr(word[2], 1, 1) == "=" && word[5] ~ /^;/) {
    at = index(word[4], " ")
    token = substr(word[4], 1, at - 1); grant = substr(word[4], at + 1)
    gsub(/[$][{][a-z0-9_]*_dollar[}]/, "$", token)
    if (key_of(token) != tolower(substr(word[2], 2))) return 0
    form = "hashed"
  } else if (n == 3 && word[1] == "" && word[2] ~ /\\z$/) {
    token = substr(word[2], 1, length(word[2]) - 2); grant = word[3]
    gsub(/^[ \t]+|;.*$/, "", grant)
    if (index(token, "~^:") == 1) { form = "exact"; token = substr(token, 4) }
    else if (index("\"" token, old_start) == 1) { form = "old"; token = substr(token, length(old_start)) }
    gsub(/\\/, "", token)
  }
  return form != "" && read_grant(grant)
}
function read_grant(grant,  f, n, at) {
  n = split(grant, f, ":")
  scope = f[1]; name = f[2]; generation = ""; limit = f[3]; at_once = f[4]; end = f[5]; state = f[6]
  if (form == "old") { if (n < 3) limit = "-"; at_once = end = state = "-" }
  else { at = index(name, "."); generation = substr(name, at + 1); name = substr(name, 1, at - 1) }
  return (scope == "full" || scope == "inference") && name ~ /^[a-z0-9_-]+$/ && n == (form == "old" ? (n < 3 ? 2 : 3) : 6)
}
function key_of(token) { return tolower(substr(token, 1, key_size)) }
function or_zero(word) { return word == "-" ? 0 : word }
function generate(print_) {
  generation = print_ "-" substr(scope, 1, 1) "-" or_zero(limit) "-" or_zero(at_once) "-" or_zero(end)
}
function print_of(generation,  part) { split(generation, part, "-"); return part[1] ~ /^[0-9a-f]+$/ && length(part[1]) == 12 ? part[1] : "" }
function key_line(  grant, text) {
  grant = scope ":" name "." generation ":" limit ":" at_once ":" end ":" state
  text = token; gsub(/[$]/, "${" dollar "}", text); text = text " " grant
  if (!(key_of(token) in taken) && length(text) < line_size) {
    taken[key_of(token)] = 1
    return "\"=" substr(token, 1, key_size) "\" \"" text "\";"
  }
  return "\"~^:" escaped(token) "\\z\" " grant ";"
}
function escaped(token,  text, i, c) {
  for (i = 1; i <= length(token); i++) { c = substr(token, i, 1); text = text (c ~ /[A-Za-z0-9]/ ? c : "\\" c) }
  return text
}
function client_of(path) { sub(/.*\//, "", path); sub(/\.map$/, "", path); return path }
function header(name) { return header_start name header_end }
function read_times() {
  if (index($0, created_mark " ") == 1) created = time_of(created_mark)
  if (index($0, rotated_mark " ") == 1) rotated = time_of(rotated_mark)
}
function time_of(mark,  text) { text = substr($0, length(mark) + 2); return text ~ /^[0-9TZ:-]+$/ ? text : "" }
' "$@"
}
