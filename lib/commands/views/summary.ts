/** The last words of a run: its exit status, its summary line, its JSON. */
import type { CheckResult } from '../../checks/catalog.ts';
import type { HostReport } from '../../model/host-report.ts';
import { EXIT, type ExitStatus } from '../../util/errors.ts';
import type { Secret } from '../../util/secret.ts';
import type { Context, Result } from '../context.ts';
import { howMany, row, told } from './summary-text.ts';

export { counted } from './summary-text.ts';

/** From the worst to the best. */
const BY_WEIGHT: readonly ExitStatus[] = [
  EXIT.restoreFailed,
  EXIT.unknown,
  EXIT.usage,
  EXIT.refused,
  EXIT.checkFailed,
  EXIT.done,
];

const DONE = new Set(['applied', 'unchanged', 'planned']);

/** The code of a proxy that was left alone, since all was not well on the first one. */
export const NOT_TRIED = 'not-tried';

/** Did the run do on this host what it was asked to? */
export const isDone = ({ outcome }: HostReport): boolean => DONE.has(outcome);

/** Was it done, did no check fail, and does nothing need attention? */
export const isWell = (host: HostReport): boolean =>
  isDone(host) && areWell(host.checks) && !host.attention?.length;

const areWell = (checks: readonly CheckResult[] = []): boolean => checks.every(({ ok }) => ok);

function exitOf(host: HostReport): ExitStatus {
  if (isDone(host)) return isWell(host) ? EXIT.done : EXIT.checkFailed;
  // The first proxy has the say.
  if (host.failure?.code === NOT_TRIED) return EXIT.done;
  if (host.todo) return EXIT.restoreFailed;
  return host.outcome === 'unknown' ? EXIT.unknown : EXIT.refused;
}

/**
 * Tells the summary (a line; of several hosts a row each, then how many fared how) and gives the result of the whole run,
 * as bad as its worst part.
 */
export function conclude(
  { report }: Context,
  hosts: readonly HostReport[],
  checks: readonly CheckResult[],
  token?: Secret,
  more: (host: HostReport) => Readonly<Record<string, unknown>> = () => ({}),
): Result {
  const statuses = [...hosts.map(exitOf), areWell(checks) ? EXIT.done : EXIT.checkFailed];
  const exit = BY_WEIGHT.find((status) => statuses.includes(status)) ?? EXIT.done;
  const isOne = hosts.length === 1;
  for (const { ok, text } of summary(hosts, checks)) report.tell({ kind: 'summary', ok, text });
  return {
    exit,
    json: {
      hosts: hosts.map((host) => ({ ...asJson(host, isOne ? checks : []), ...more(host) })),
      // Of several proxies, what was asked by the public name is no single one's.
      ...(!isOne && checks.length > 0 && { checks }),
      ...(token && { token: token.reveal() }),
    },
  };
}

interface Line {
  readonly ok: boolean;
  readonly text: string;
}

function summary(hosts: readonly HostReport[], checks: readonly CheckResult[]): readonly Line[] {
  const isEach = areWell(checks);
  const [first, ...others] = hosts;
  if (first && others.length === 0)
    return [{ ok: isWell(first) && isEach, text: [row(first), ...told(checks)].join('; ') }];
  const widest = Math.max(...hosts.map(({ host }) => host.length));
  return [
    ...hosts.map((host) => ({ ok: isWell(host), text: row(host, widest) })),
    ...(checks.length > 0 ? [{ ok: isEach, text: told(checks).join('; ') }] : []),
    { ok: hosts.every(isWell) && isEach, text: howMany(hosts, isWell) },
  ];
}

/** Files that were written and put back again have not changed; a release that was made before a later failure stays. */
function changedFiles({ outcome, files, release }: HostReport): HostReport['files'] {
  return files.map(({ path, changed }) => ({
    path,
    changed: changed && (outcome === 'applied' || outcome === 'planned' || release !== undefined),
  }));
}

function asJson(host: HostReport, checks: readonly CheckResult[]): Readonly<Record<string, unknown>> {
  const { before, texts, rows, generated, certificate, meaning, ...rest } = host;
  return {
    ...rest,
    release: host.release ?? before ?? null,
    files: changedFiles(host),
    checks: host.checks ?? checks,
  };
}
