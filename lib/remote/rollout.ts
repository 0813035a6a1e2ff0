/** The same work on every target: many at once, or the canary first. */
import type { Flags } from '../config/flag-table.ts';
import {
  type Failure,
  failedReport,
  type HostReport,
  isWell,
  NOT_TRIED,
  newReport,
  withVerdict,
} from '../model/host-report.ts';
import { SshError, UsageError } from '../util/errors.ts';
import { inParallel } from '../util/parallel.ts';
import type { Fleet, ProxyHost, Target } from './target.ts';

interface Strategy {
  /** How many proxies at once; undefined: all. */
  readonly atOnce?: number;
  /** Start with the first proxy alone; unless it is healthy, the others are not tried. */
  readonly canary: boolean;
}

const MOST = 100;

/** @throws UsageError for a number that is out of range */
export function strategyOf({ parallel, canary }: Pick<Flags, 'parallel' | 'canary'>): Strategy {
  if (parallel === undefined) return { canary };
  const atOnce = /^[1-9]\d{0,2}$/.test(parallel) ? Number(parallel) : MOST + 1;
  if (atOnce > MOST) throw new UsageError([`--parallel: must be a number from 1 to ${MOST}`]);
  return { atOnce, canary };
}

/**
 * Does `work` on every target, then closes the fleet; the reports come in the order of the targets. With a canary that is
 * not healthy, the others are not tried.
 */
export async function rollOut(
  { targets, close }: Fleet,
  { atOnce = targets.length, canary }: Strategy,
  work: (target: Target) => Promise<HostReport>,
): Promise<readonly HostReport[]> {
  try {
    if (!canary) return await inParallel(targets, atOnce, work);
    const [first, others] = [await inParallel(targets.slice(0, 1), 1, work), targets.slice(1)];
    if (!first.every(isWell)) return [...first, ...(await Promise.all(others.map(notTried)))];
    return [...first, ...(await inParallel(others, atOnce, work))];
  } finally {
    close();
  }
}

function notTried({ host }: Target): Promise<HostReport> {
  const failure: Failure = {
    code: NOT_TRIED,
    text: 'not tried: --canary, and the first proxy is not healthy',
    advice: 'Fix what is reported for the first proxy, then run the same command again.',
  };
  const report = failedReport(newReport(host), failure, 'refused');
  return diagnosed(withVerdict(report, { meaning: 'not tried, the first proxy is not healthy' }));
}

/** The report with the cause and fix of its failure; their tables are loaded only if there is one. */
async function diagnosed(report: HostReport): Promise<HostReport> {
  if (!report.failure) return report;
  const { withDiagnosis } = await import('../diagnosis/diagnose.ts');
  return withDiagnosis(report);
}

interface Listener {
  /** What the connection is waiting for. */
  readonly onBegin: (step: string) => void;
  readonly onConnect: (milliseconds: number) => void;
}

/**
 * Connects to a target, does `work` there, closes the connection; the report has its failure diagnosed.
 * An SshError becomes the failure of this host; any other error is thrown.
 */
export async function workOn(
  target: Target,
  { onBegin, onConnect }: Listener,
  work: (proxy: ProxyHost) => Promise<HostReport>,
): Promise<HostReport> {
  const start = performance.now();
  let proxy: ProxyHost | undefined;
  try {
    proxy = await target.connect(onBegin);
    if (target.hops.length === 0) return await diagnosed(await work(proxy));
    const connect = Math.round(performance.now() - start);
    onConnect(connect);
    const report = await diagnosed(await work(proxy));
    return { ...report, milliseconds: { connect, ...report.milliseconds } };
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    const failure: Failure = { code: 'ssh', text: error.message, advice: error.advice };
    const report = await diagnosed(failedReport(newReport(target.host), failure));
    return proxy ? report : withVerdict(report, { meaning: 'not reached' });
  } finally {
    proxy?.close();
  }
}
