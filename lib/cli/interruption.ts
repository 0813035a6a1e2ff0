/** What a script leaves on the proxies when it ends before its end: by a signal, or by a bug. */
import type { UnderWay } from '../commands/context.ts';
import type { HostReport } from '../model/host-report.ts';
import type { Report } from '../output/report.ts';
import { EXIT, type ExitStatus } from '../util/errors.ts';

export interface Left {
  readonly exit: ExitStatus;
  /** Goes on from "Interrupted"; empty when nothing was changed. */
  readonly left: string;
  readonly advice: string;
}

type Hosts = UnderWay['hosts'];

/** How things stand on the hosts, and what to run next. */
export function whatIsLeft({ hosts, envFile }: Omit<UnderWay, 'tokens'>): Left {
  const names = (wanted: (done?: HostReport) => boolean) =>
    [...hosts].flatMap(([host, done]) => (wanted(done) ? [host] : [])).join(', ');
  const atWork = names((done) => done === undefined || done.outcome === 'unknown');
  if (atWork !== '')
    return {
      exit: EXIT.unknown,
      left: `while ${atWork} was at work`,
      advice:
        'The proxy ends the change by itself: wholly live or wholly undone. Run the same command again to see and settle it.',
    };
  const changed = names((done) => done?.outcome === 'applied');
  if (changed === '')
    return {
      exit: EXIT.refused,
      left: envFile === undefined ? '' : `after ${envFile} got the new token`,
      advice: `Nothing was changed on any proxy${envFile === undefined ? '' : ', where the old token is live'}. Run the same command again.`,
    };
  return {
    exit: EXIT.checkFailed,
    left: `after the change was made on ${changed}`,
    advice: 'What was done there stays. Run the same command again: it finds that, and does the rest.',
  };
}

/** Shows the new tokens that are live, or may be, and that nobody has seen. */
export function showUnseen({ hosts, tokens }: UnderWay, { showToken }: Pick<Report, 'showToken'>): void {
  for (const [client, token] of tokens) if (mayBeOut(client, hosts)) showToken(client, token);
}

/** A first client's token is taken only by a proxy that has none yet: then its file has changed. */
const mayBeOut = (client: string, hosts: Hosts): boolean =>
  [...hosts.values()].some(
    (done) =>
      done === undefined ||
      done.outcome === 'unknown' ||
      (done.outcome === 'applied' &&
        done.files.some(({ path, changed }) => changed && path.endsWith(`/${client}.map`))),
  );
