/** The file that root runs on a proxy to approve the programs of gatepost. */
import { titleOf } from '../model/site.ts';
import { runnerText } from '../program/approved-runner.ts';
import { contentFunction, RUNNER } from '../program/program.ts';
import { EXIT, refuseAll } from '../util/errors.ts';
import { quote } from '../util/shell.ts';
import { approvedList } from './approved-programs.ts';
import { bundleFile, runIt } from './bundle.ts';
import type { Context, Result } from './context.ts';

/**
 * Writes the file, without making a connection. It contains no secret.
 * @throws UsageError for a login that is root anyway, without FILE, or where that is something else
 * @throws StopError when it cannot be written
 */
export async function writeApproval(context: Context): Promise<Result> {
  const { flags, site, settings, report } = context;
  const user = settings.access.user ?? settings.access.defaults.user;
  const file = judged(flags.bundle, user, site.prefix);
  const { path, label, write } = await bundleFile(file, 0o644, isApproval);
  const data = await write(approvalText(site.name, user, await runnerText(), await approvedList(context)));
  const text = `${label}: approves the programs of ${titleOf(site)} for ${user}; on each proxy, as root: \`${runIt(file)}\``;
  report.print({ kind: 'summary', ok: true, text });
  return { exit: EXIT.done, ...data, json: { hosts: [], bundle: path } };
}

function judged(file: string | undefined, user: string, prefix: string): string {
  refuseAll([
    file === undefined && '--bundle FILE: required, the file to write',
    user === '' && `${prefix}_PROXY_USER: must be set, to the login user on the proxy`,
    user === 'root' && `${prefix}_PROXY_USER: is root, which needs no approval`,
  ]);
  return file ?? '';
}

const FIRST_LINES = '#!/bin/sh\n# For root on a proxy of ';
const isApproval = (text: string): boolean => text.startsWith(FIRST_LINES);

/** One compound command, like every program of gatepost: if it is truncated, it does nothing. */
function approvalText(site: string, user: string, runner: string, list: string): string {
  return `${FIRST_LINES}${site}. Lets ${user} run, as root, the programs of gatepost for this site with these settings, and
# nothing else. Run it again after each new version of gatepost and each change of a setting of the site.
{
set -eu
umask 022
USER=${quote(user)} RUNNER=${RUNNER}
${contentFunction(0, runner)}
${contentFunction(1, list)}
${contentFunction(2, `${user} ALL=(root) NOPASSWD: ${RUNNER} ""\n`)}

# put PATH MODE FUNCTION: whole or not at all, by one rename.
put() {
  new=\${1%/*}/.\${1##*/}.new
  "$3" >"$new"
  chmod "$2" "$new"
  mv -f "$new" "$1"
}

[ "$(id -u)" -eq 0 ] || { echo 'must be run as root' >&2; exit 1; }
mkdir -p /usr/local/sbin /etc/gatepost /etc/gatepost/programs
put "$RUNNER" 755 content_0
put /etc/gatepost/programs/${site} 644 content_1
put /etc/gatepost/sudoers 440 content_2
visudo -c -f /etc/gatepost/sudoers >/dev/null
# sudo reads no file there with a dot in its name.
mv -f /etc/gatepost/sudoers /etc/sudoers.d/gatepost-${site.replaceAll('.', '_')}
echo "$USER may run the programs of ${site} as root, by $RUNNER"
! sudo -l -U "$USER" | grep -Eq 'NOPASSWD: *(ALL|.*/(ba|da)?sh)( |,|$)' || echo "$USER may run a shell as root too: take that line out by visudo"
exit
}
`;
}
