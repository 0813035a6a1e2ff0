/** The end of a run: its exit status, its summary lines, its JSON. */
import { type CheckResult, checkSummary } from '../../model/check.ts';
import {
  areWell,
  type Fault,
  failureAsJson,
  type HostReport,
  isDone,
  isWell,
  NOT_TRIED,
  type OutcomeName,
  withVerdict,
} from '../../model/host-report.ts';
import { groupIdentical, shortHostList } from '../../util/collections.ts';
import { EXIT, type ExitStatus } from '../../util/errors.ts';
import type { Secret } from '../../util/secret.ts';
import type { Context, Result } from '../context.ts';

/** From the worst to the best. */
const BY_WEIGHT: readonly ExitStatus[] = [
  EXIT.restoreFailed,
  EXIT.unknown,
  EXIT.usage,
  EXIT.refused,
  EXIT.checkFailed,
  EXIT.done,
];

function exitOf(host: HostReport): ExitStatus {
  if (isDone(host)) return isWell(host) ? EXIT.done : EXIT.checkFailed;
  // The canary's own status counts.
  if (host.failure?.code === NOT_TRIED) return EXIT.done;
  if (host.todo) return EXIT.restoreFailed;
  return host.outcome === 'unknown' ? EXIT.unknown : EXIT.refused;
}

interface Results {
  readonly hosts: readonly HostReport[];
  /** What was checked from here, by the public name. */
  readonly checks?: readonly CheckResult[];
  /** A new token, for --json. */
  readonly token?: Secret | undefined;
  /** More for --json, one entry a host. */
  readonly details?: readonly object[];
  /** More for --json, beside the hosts. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/**
 * Reports the summary (one line; for several hosts a line each, then the totals) and returns the result of the run, which is
 * that of its worst part.
 */
export function summarize({ report }: Context, results: Results): Result {
  const { hosts, checks = [], token, details = [], json = {} } = results;
  const statuses = [...hosts.map(exitOf), areWell(checks) ? EXIT.done : EXIT.checkFailed];
  const exit = BY_WEIGHT.find((status) => statuses.includes(status)) ?? EXIT.done;
  const isOne = hosts.length === 1;
  for (const { ok, text } of summaryLines(hosts, checks)) report.print({ kind: 'summary', ok, text });
  return {
    exit,
    hosts,
    json: {
      ...json,
      hosts: hosts.map((host, i) => ({ ...asJson(host, isOne ? checks : []), ...details[i] })),
      // By the public name; of several proxies, that belongs to no single one.
      checks: isOne ? (hosts[0]?.checks ?? checks) : checks,
      ...(token && { token: token.reveal() }),
    },
  };
}

function summaryLines(hosts: readonly HostReport[], checks: readonly CheckResult[]) {
  const isEach = areWell(checks);
  const [first, ...others] = hosts;
  if (first && others.length === 0)
    return [{ ok: isWell(first) && isEach, text: [hostLine(first), ...checkSummary(checks)].join('; ') }];
  const widest = Math.max(...hosts.map(({ host }) => host.length));
  return [
    ...hosts.map((host) => ({ ok: isWell(host), text: hostLine(host, widest) })),
    ...(checks.length > 0 ? [{ ok: isEach, text: checkSummary(checks).join('; ') }] : []),
    { ok: hosts.every(isWell) && isEach, text: howMany(hosts, isWell) },
  ];
}

/** Files that were written and rolled back have not changed; a release that was made before a later failure stays. */
function changedFiles({ outcome, files, release }: HostReport): HostReport['files'] {
  return files.map(({ path, changed }) => ({
    path,
    changed: changed && (outcome === 'applied' || outcome === 'planned' || release !== undefined),
  }));
}

function asJson(host: HostReport, checks: readonly CheckResult[]): Readonly<Record<string, unknown>> {
  const { before, texts, rows, generated, certificate, meaning, failure, ...rest } = host;
  return {
    ...rest,
    ...(failure && { failure: failureAsJson(failure) }),
    release: host.release ?? before ?? null,
    files: changedFiles(host),
    checks: host.checks ?? checks,
  };
}

/** The summary line of one host, its name padded to the width of the others. */
export function hostLine(report: HostReport, widest = 0): string {
  const { host, release, checks = [] } = report;
  const what = `${`${host}:`.padEnd(widest + 1)} ${became(report)}${release ? ` (release ${release})` : ''}`;
  return [what, ...besides(report), ...checkSummary(checks)].join('; ');
}

/** What happened on a host, in a few words. */
export function became({ outcome, meaning, todo }: HostReport): string {
  if (todo) return 'rollback failed, run the steps above manually';
  return meaning ?? MEANING[outcome];
}

/** The report of a host that did what it was asked to, in a command's own words. */
export function inWords(report: HostReport, words: Partial<Record<OutcomeName, string>>): HostReport {
  const meaning = words[report.outcome];
  return meaning === undefined ? report : withVerdict(report, { meaning });
}

/** The report of a program that only reads: that nothing was changed goes without saying. */
export const asRead = (report: HostReport): HostReport =>
  inWords(report, { failed: 'failed', refused: 'refused' });

/** What needs attention, by what it is about; undefined where nothing does. */
export function needs(attention: readonly Fault[] = []): string | undefined {
  const about = [...new Set(attention.map((fault) => fault.about))];
  return about.length > 0 ? `needs attention: ${about.join(', ')}` : undefined;
}

/** What needs attention although the run succeeded; nothing where its meaning includes that. */
export function besides({ meaning, attention }: HostReport): readonly string[] {
  const text = meaning === undefined ? needs(attention) : undefined;
  return text === undefined ? [] : [text];
}

/** `20 proxies: 18 live, 2 refused (10.0.0.7, 9)`: those that are not well by name. */
export function howMany(hosts: readonly HostReport[], isWell: (host: HostReport) => boolean): string {
  const groups = groupIdentical(
    hosts.map((host) => [host.host, { word: inAWord(host), well: isWell(host) }] as const),
  );
  const counts = groups.map(({ what: { word, well }, hosts: names }) =>
    well ? `${names.length} ${word}` : `${names.length} ${word} (${shortHostList(names)})`,
  );
  return `${hosts.length} proxies: ${counts.join(', ')}`;
}

function inAWord(host: HostReport): string {
  const word = became(host).split(/[,:;]/)[0] ?? '';
  if (host.checks?.some(({ ok }) => !ok)) return `${word} with a failed check`;
  return besides(host).length > 0 ? `${word} but needs attention` : word;
}

const MEANING: Readonly<Record<HostReport['outcome'], string>> = {
  applied: 'live',
  unchanged: 'unchanged',
  planned: 'planned, nothing was changed',
  'rolled-back': 'rolled back; the previous configuration is still active',
  refused: 'refused, nothing was changed',
  failed: 'failed, nothing was changed',
  unknown: 'outcome unknown',
};
