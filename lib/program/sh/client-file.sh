# shellcheck shell=sh
# What the file of one client says.
# Needs: CREATED_MARK KEY_START ROTATED_MARK SCOPES
# Leaves: CREATED CURRENT LIMIT PREVIOUS ROTATED SCOPE

# read_client PATH: leaves in CREATED, ROTATED, SCOPE, LIMIT, CURRENT and PREVIOUS what a client's file says.
read_client() {
  CREATED=$(dated "$CREATED_MARK" "$1") ROTATED=$(dated "$ROTATED_MARK" "$1")
  CURRENT=$(key_lines "$1" | sed -n 1p)
  PREVIOUS=$(key_lines "$1" | sed -n 2p)
  grant=${CURRENT##* }
  grant=${grant%;}
  SCOPE=${grant%%:*} LIMIT=${grant#*:*:}
  [ "$LIMIT" != "$grant" ] || LIMIT=
}

dated() { sed -n "s/^$1 \([0-9TZ:-]*\)\$/\1/p" "$2" | head -n 1; }

# is_readable: does the file that was read hold a key line of the form that this suite writes?
is_readable() { case " $SCOPES " in *" $SCOPE "*) ;; *) return 1 ;; esac; }

# fingerprint_of LINE: of its token; nothing for a line that is not ours.
fingerprint_of() {
  token=${1#"$KEY_START"}
  [ "$token" = "$1" ] || printf '%s' "${token%\"*}" | bare | fingerprint
}

name_line() { name_of "$1"; echo; }
