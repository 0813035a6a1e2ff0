# shellcheck shell=sh
# The parts of a file that a diff may show: a vhost with fingerprints instead of bearer tokens; for a map and a client
# file, only lines that gatepost wrote, since any other line may contain a token.
# Needs: KIND RECORDED RELEASES RUN

# shown ROLE NAME: the content of the file NAME on stdin, as a diff may show it.
shown() {
  case $1 in
    vhost | link) redact ;;
    client) own_client_lines "${2%.map}" | redact ;;
    *) own_map_lines | redact ;;
  esac
}

HIDDEN='[unrecognized line hidden: %d characters]'

# own_map_lines: lines that this program would write, or that a deploy wrote.
own_map_lines() {
  set --
  for release in $RELEASES; do
    kind_of "$release"
    [ "$KIND" = apply ] || continue
    while read -r role path _; do
      recorded "$release" "$path"
      case $role in map | shared) [ ! -f "$RECORDED" ] || set -- "$@" "$RECORDED" ;; esac
    done <"$release/state"
  done
  { each_wanted print_template && printf '%s\n' "$RUN" && cat; } | awk -v last="$RUN" -v hidden="$HIDDEN\\n" '
    written || !begun { if ($0 == last) begun = 1; own[$0]; next }
    /^[ \t{}]*$/ || $0 in own { print; next }
    { printf hidden, length($0) }' written=1 "$@" written=0 -
}

print_template() { case $1:$4 in map:*content_[0-9]* | shared:*content_[0-9]*) $4 ;; esac; }

# own_client_lines NAME: the comments at the top, and token lines that are exactly as key_line() writes them.
own_client_lines() {
  lines_awk '
/^$/ || $0 == header(client) || is_time(created_mark) || is_time(rotated_mark) || is_own() { print; next }
{ printf hidden, length($0) }
function is_time(mark,  text) {
  text = substr($0, length(mark) + 2); gsub(/[0-9]/, "0", text)
  return index($0, mark " ") == 1 && text == "0000-00-00T00:00:00Z"
}
function is_own(  was) {
  if (!read_key($0) || name != client || length(token) < 16) return 0
  if (limit !~ /^(-|10|60|600)$/ || at_once !~ /^[-1248]$/ || state !~ /^(-|suspended)$/) return 0
  if (end != "-" && (end !~ /^[0-9]+$/ || length(end) != 10)) return 0
  if (form == "old") return $0 == old_start escaped(token) "\\z\" " scope ":" name (limit == "-" ? "" : ":" limit) ";"
  was = generation; generate(print_of(was))
  split("", taken); if (form == "exact") taken[key_of(token)]
  return generation == was && $0 == key_line()
}' client="$1" hidden="$HIDDEN\\n" -
}
