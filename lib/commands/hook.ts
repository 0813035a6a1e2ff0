/** GATEPOST_HOOK: a program of the operator that is run after each change. It cannot affect the run. */
import type { HostReport, OutcomeName } from '../model/host-report.ts';
import { $ } from '../util/shell.ts';
import type { Context } from './context.ts';

/** From the worst to the best. */
const BY_WEIGHT: readonly OutcomeName[] = ['unknown', 'failed', 'rolled-back', 'refused', 'applied'];

/** A hook that takes longer is killed. */
const LIMIT_MS = 30_000;

/** What the hook reads on stdin, without secrets; undefined if no proxy was or may have been changed. */
export function hookDocument(
  script: string,
  site: string,
  reports: readonly HostReport[],
): Readonly<Record<string, unknown>> | undefined {
  const outcome = BY_WEIGHT.find((each) => reports.some((report) => report.outcome === each));
  if (outcome === undefined) return undefined;
  const hosts = reports.map(({ host, outcome, release, before }) => ({
    host,
    outcome,
    release: release ?? before ?? null,
  }));
  // All hosts of one run have the same release id.
  return { script, site, hosts, outcome, release: reports.find(({ release }) => release)?.release ?? null };
}

/** Runs the hook after a change, if one is set; its failure is a warning. */
export async function runHook(
  { settings: { hook }, site, report, underWay }: Context,
  script: string,
  reports: readonly HostReport[] = [],
  limit = LIMIT_MS,
): Promise<void> {
  if (hook === undefined || underWay.hosts.size === 0) return;
  const document = hookDocument(script, site.name, reports);
  if (document === undefined) return;
  const problem = await problemOf(hook, `${JSON.stringify(document)}\n`, limit);
  if (problem === undefined) return;
  const text = `GATEPOST_HOOK: ${hook} failed (${problem}); this changes nothing about the result above`;
  report.print({ kind: 'warning', text });
}

/** What went wrong. A child of the hook may keep its output open; this does not wait for it. */
async function problemOf(hook: string, input: string, limit: number): Promise<string | undefined> {
  const signal = AbortSignal.timeout(limit);
  const late = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => setTimeout(() => resolve(undefined), GRACE_MS));
  });
  const run = $({ nothrow: true, signal, input, detached: true })`exec ${hook}`;
  const output = await Promise.race([run, late]);
  if (output?.ok) return undefined;
  if (signal.aborted) return `no end within ${limit / 1000} s`;
  const said = output?.stderr.trim().split('\n').at(-1) ?? '';
  return [`exit status ${output?.exitCode ?? 'unknown'}`, said].filter(Boolean).join(': ');
}

/** For the remaining output of a hook that was killed. */
const GRACE_MS = 200;
