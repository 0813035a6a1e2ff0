#!/bin/sh
# What root on a hostile proxy could run in place of gatepost's programs: reads the program and answers with
# /run/hostile. Installed as /usr/local/sbin/gatepost-run, which the scripts start through sudo.
run=$(sed -n "s/^RUN='\(.*\)'\$/\1/p" | head -n 1)
record() { printf '%b\n' "@$run\\t$1"; }
# lines COUNT FORMAT: %d is the line number.
lines() { seq 1 "$1" | awk -v format="@$run\\t$2\\n" '{ printf format, $1, $1, $1 }'; }
end() { record "outcome\\t$1\\t$run\\t100" && record end; }
record 'step\tsurvey\t1'
case $(cat /run/hostile) in
  bytes) exec tr '\0' x </dev/zero ;;
  lines) exec yes "$(printf '%65000s' x)" ;;
  stderr) exec yes "$(printf '%65000s' x)" >&2 ;;
  notes) exec yes "$(record 'note\tthis is a note of a hostile proxy'; record "step\\t$(printf '%5000s' x)\\t2"; record 'step\ttest\t3')" ;;
  name) record "step\\t$(printf '%50000s' x | tr ' ' x)\\t2" && record "note\\t$(printf '%50000s' x | tr ' ' x)" && record 'step\ttest\t3' && exec sleep 3600 ;;
  drift) lines 50000 'drift\t/x/%d\tchanged' && lines 50000 'todo\t%d' && end applied ;;
  clients) lines 50000 'row\tclient\tc%d\tfull' && end unchanged ;;
  releases) lines 50000 'row\trelease\tR%d\tapply' && end unchanged ;;
  files) lines 24000 'file\t/x/%d\tnew' && lines 24000 'before\t/x/%d\tx' && end planned ;;
  diff) lines 20000 'before\t/x\ta%d' && lines 20000 'after\t/x\tb%d0' && end planned ;;
  long-diff) lines 24000 'before\t/x\t%d................................................................................' && end planned ;;
  silence) record 'step\ttest\t3' && exec sleep 3600 ;;
  signs)
    odd='\033[2J\033]0;title\007\302\233\0312J\342\200\256abc\342\200\213\342\201\246\357\273\277\302\205\r\342\200\250\363\240\201\201'
    for kind in note 'error\ttest\t3' text advice todo 'fact\tnginx' 'fact\tserves' release "file\\t/etc/$odd" \
      "drift\\t/etc/$odd" 'row\tclient' 'row\tmessage' 'row\trelease' "row\\tfile\\t/etc/$odd" 'row\tbusy' 'before\t/x' 'after\t/x' \
      "before\\t/etc/$odd" "past\\tnote"; do record "$kind\\t$odd"; done
    end "$odd"
    ;;
esac
