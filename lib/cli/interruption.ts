/** What a script leaves on the proxies when a signal or a bug ends it early. */
import type { UnderWay } from '../commands/context.ts';
import type { HostReport } from '../model/host-report.ts';
import type { Report } from '../output/report.ts';
import { EXIT } from '../util/errors.ts';

type Hosts = UnderWay['hosts'];

/** The state of the hosts, which continues "Interrupted" (empty if nothing was changed), and what to run next. */
export function whatIsLeft({ hosts, envFile }: Omit<UnderWay, 'tokens'>) {
  const names = (wanted: (report?: HostReport) => boolean) =>
    [...hosts].flatMap(([host, report]) => (wanted(report) ? [host] : [])).join(', ');
  const running = names((report) => report === undefined || report.outcome === 'unknown');
  if (running !== '')
    return {
      exit: EXIT.unknown,
      left: `while the change was running on ${running}`,
      advice:
        'The proxy completes the change or rolls it back without this script. Run the same command again to learn the outcome.',
    };
  const changed = names((report) => report?.outcome === 'applied');
  if (changed === '')
    return {
      exit: EXIT.refused,
      left: envFile === undefined ? '' : `after the new token was written to ${envFile}`,
      advice: `Nothing was changed on any proxy${envFile === undefined ? '' : ', where the old token is live'}. Run the same command again.`,
    };
  return {
    exit: EXIT.checkFailed,
    left: `after the change was made on ${changed}`,
    advice: 'The change stays there. Run the same command again to complete the rest.',
  };
}

/** Shows the new tokens that are live, or may be, and were not shown yet. */
export function showUnseen({ hosts, tokens }: UnderWay, { showToken }: Pick<Report, 'showToken'>): void {
  for (const [client, token] of tokens) if (mayBeOut(client, hosts)) showToken(client, token);
}

/** A first client's token is taken only by a proxy that has none yet: then its file has changed. */
const mayBeOut = (client: string, hosts: Hosts): boolean =>
  [...hosts.values()].some(
    (report) =>
      report === undefined ||
      report.outcome === 'unknown' ||
      (report.outcome === 'applied' &&
        report.files.some(({ path, changed }) => changed && path.endsWith(`/${client}.map`))),
  );
