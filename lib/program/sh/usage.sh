# shellcheck shell=sh
# Verb usage: evaluates the gate's access log per client. Writes nothing, takes no lock; one pass, bounded memory.
# Needs: ACCESS_LOG CLIENTS GATE_PATH REQUEST_ID SINCE

usage() {
  step log
  for path in "$CLIENTS"/*.map; do
    [ ! -f "$path" ] || { path=${path##*/}; say row gate_client "${path%.map}"; }
  done
  read_log | evaluate
  finish unchanged 0
}

# read_log: the lines of the log and its rotated files, and a line `unread` for each file that cannot be read here.
read_log() {
  for file in "$ACCESS_LOG"[.-]* "$ACCESS_LOG"; do
    [ -f "$file" ] || continue
    case $file in
      *.gz) gzip -dc "$file" ;;
      *.xz) xz -dc "$file" ;;
      *.bz2) bzip2 -dc "$file" ;;
      *.zst) zstd -dcq "$file" ;;
      *) cat "$file" ;;
    esac 2>/dev/null || printf 'unread\n'
  done
}

# evaluate: log lines -> rows. Times are epochs; durations are milliseconds, from
# histograms with 32 buckets per octave, so exact to 2%. If there are too many, the addresses with the fewest rejections
# are dropped. (busybox awk has no log().)
evaluate() {
  awk -F '"' -v since="$(oldest)" -v gate="$GATE_PATH" -v wanted="$REQUEST_ID" -v log_line="$(say row log_line)" \
    -v log_span="$(say row log_span)" -v usage="$(say row usage)" -v refused_from="$(say row refused_from)" '
    function epoch(time, zone,    d, m, y, era, of_era, day) {
      if (substr(time, 2, 11) != cached) {
        cached = substr(time, 2, 11)
        d = substr(cached, 1, 2); y = substr(cached, 8, 4)
        m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", substr(cached, 4, 3)) + 2) / 3
        if (m <= 2) { y--; m += 12 }
        era = int(y / 400); of_era = y - era * 400
        day = int((153 * (m - 3) + 2) / 5) + d - 1
        midnight = (era * 146097 + of_era * 365 + int(of_era / 4) - int(of_era / 100) + day - 719468) * 86400
      }
      return midnight + substr(time, 14, 2) * 3600 + substr(time, 17, 2) * 60 + substr(time, 20, 2) \
        - (substr(zone, 1, 1) "1") * (substr(zone, 2, 2) * 3600 + substr(zone, 4, 2) * 60)
    }
    function bucket(seconds,    value, octave) {
      for (value = seconds * 1000; value >= 64; value /= 2) octave++
      return octave * 32 + int(value)
    }
    function middle(number,    octave, value) {
      if (number < 64) return number
      octave = int(number / 32) - 1
      for (value = number - octave * 32 + 0.5; octave > 0; octave--) value *= 2
      return value
    }
    function quantile(counts, client, part,    i, sum, goal) {
      goal = counts[client, "n"] * part
      if (!goal) return "-"
      for (i = 0; i < 2000; i++) if ((client, i) in counts && (sum += counts[client, i]) >= goal) return middle(i)
    }
    function forget(    address) {
      least++
      for (address in refused) if (refused[address] <= least) { delete refused[address]; delete latest[address]; addresses-- }
    }
    $0 == "unread" { unread++; next }
    NF < 5 { next }
    {
      split($1, head, " ")
      if (head[3] !~ /^\[/) next
      client = head[2]
      if (client == "-") {
        split($2, request, " ")
        if (index(request[2], gate) != 1) next
      }
      at = epoch(head[3], head[4])
      if (at < since) next
      if (!first || at < first) first = at
      if (at > last) last = at
      lines++
      fields = split($3, tail, " ")
      status = tail[1]
      passed = tail[4] != "-"
      if (wanted != "" && index($5, wanted)) {
        printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", log_line, at, head[1], client, $2, status, tail[2], tail[3], $10, $6, $4
        next
      }
      requests[client]++
      bytes[client] += tail[2]
      if (!(client in since_when) || at < since_when[client]) since_when[client] = at
      if (at > until[client]) until[client] = at
      if (status == 499) aborted[client]++
      else if (status >= 500) errors[client]++
      else if (!passed && (status == 401 || status == 403 || status == 429)) {
        refusals[client]++
        if (!(head[1] in refused)) addresses++
        refused[head[1]]++
        latest[head[1]] = at
        while (addresses > 20000) forget()
      }
      # After a partial response, the status stays, and an aborted upload is a 400; the last field is empty for both.
      # Earlier releases do not log it.
      else if (NF > 12 && $12 == "") aborted[client]++
      if (!passed) next
      for (i = 4; i <= fields; i++) backend[client] += tail[i]
      total[client, bucket(tail[3])]++; total[client, "n"]++
      parts = split($10, headers, /[,: ]+/)
      if (parts && headers[parts] != "-") { byte1[client, bucket(headers[parts])]++; byte1[client, "n"]++ }
    }
    END {
      printf "%s\t%d\t%d\t%d\t%d\n", log_span, first, last, lines, unread
      for (client in requests)
        printf "%s\t%s\t%d\t%d\t%d\t%d\t%.0f\t%.3f\t%s\t%s\t%s\t%s\t%d\t%d\n", usage, client, requests[client],
          refusals[client], errors[client], aborted[client], bytes[client], backend[client],
          quantile(byte1, client, 0.5), quantile(byte1, client, 0.95), quantile(total, client, 0.5),
          quantile(total, client, 0.95), since_when[client], until[client]
      for (rank = 1; rank <= 10; rank++) {
        most = ""
        for (address in refused)
          if (most == "" || refused[address] > refused[most] || (refused[address] == refused[most] && address < most))
            most = address
        if (most == "") break
        printf "%s\t%s\t%d\t%d\n", refused_from, most, refused[most], latest[most]
        delete refused[most]
      }
    }'
}

# oldest: lines before this epoch do not count.
oldest() {
  [ -n "$SINCE" ] || { echo 0; return; }
  echo $(($(date +%s) - SINCE))
}
