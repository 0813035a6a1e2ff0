/** Runs checks: all of them, side by side, each within its time, reported in the order of the list. */
import { setMaxListeners } from 'node:events';
import { type Check, type CheckResult, type CheckTarget, type Finding, failed } from '../model/check.ts';
import type { Secret } from '../util/secret.ts';
import { errorAdvice } from './http/failures.ts';

const LIMIT_MS = 15_000;
const GRACE_MS = 300;

/** Checks that compete for this machine's time; a timed check is repeated when none of them is running. */
export class Workload {
  readonly #running = new Set<Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /** Counts `work` as running until it ends. */
  async run<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Starts `work` once nothing is running, one after the other. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      while (this.#running.size > 0) await Promise.allSettled(this.#running);
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/**
 * Runs every check, whatever the others find. A check that throws, or does not end in time, has failed.
 * @param onResult hears each result in the order of the list, as soon as those before it are there
 * @param workload shared by checks that run at the same time
 */
export async function runChecks(
  checks: readonly Check[],
  target: CheckTarget,
  onResult: (result: CheckResult) => void = () => {},
  workload = new Workload(),
): Promise<readonly CheckResult[]> {
  const running = checks.map((check) => runTwiceIfSlow(check, target, workload));
  const results: CheckResult[] = [];
  for (const run of running) {
    const result = await run;
    results.push(result);
    onResult(result);
  }
  return results;
}

/**
 * A timed check that failed by what it measured is repeated alone: the others may have kept this process busy. One that
 * failed for another reason, after a wait perhaps, would fail again.
 */
async function runTwiceIfSlow(check: Check, target: CheckTarget, workload: Workload): Promise<CheckResult> {
  const result = await workload.run(runOne(check, target));
  if (!check.isTimed || result.ok || result.measured === undefined) return result;
  return workload.runAlone(() => runOne(check, target));
}

async function runOne(check: Check, target: CheckTarget): Promise<CheckResult> {
  const start = performance.now();
  const byHand = check.curl === undefined ? {} : { curl: check.curl(target) };
  const finding = [target.token, target.inferenceToken].reduce(redacted, {
    ...byHand,
    ...(await inTime(check, target)),
  });
  const milliseconds = Math.round(performance.now() - start);
  return { name: check.name, ok: finding.status !== 'failed', ...finding, milliseconds };
}

/** The signal ends a check's requests, which then say what they waited for; the race is for what ignores it. */
async function inTime(check: Check, target: CheckTarget): Promise<Finding> {
  const limit = target.timeoutMs ?? check.limitMs ?? LIMIT_MS;
  const control = new AbortController();
  setMaxListeners(0, control.signal);
  const ending = setTimeout(() => control.abort(), limit);
  const late = afterLimit(limit);
  try {
    const run = check.run({ ...target, timeoutMs: limit, signal: control.signal });
    return await Promise.race([run, late.finding]);
  } catch (error) {
    return failed(errorAdvice(error, target));
  } finally {
    clearTimeout(ending);
    late.cancel();
    control.abort();
  }
}

function afterLimit(limitMs: number): { finding: Promise<Finding>; cancel: () => void } {
  let cancel = () => {};
  const finding = new Promise<Finding>((resolve) => {
    const timer = setTimeout(() => resolve(outOfTime(limitMs)), limitMs + GRACE_MS);
    cancel = () => clearTimeout(timer);
  });
  return { finding, cancel: () => cancel() };
}

function outOfTime(limitMs: number): Finding {
  return failed(
    `The check did not end within ${limitMs / 1000} s. Something on the way accepts connections and then says nothing: look at the proxy and at the network in between, then run it again.`,
  );
}

/** A last guard: in no letter case does a token leave this module. */
function redacted(finding: Finding, token: Secret | undefined): Finding {
  if (token === undefined || token.reveal() === '') return finding;
  const pattern = new RegExp(token.reveal().replace(/[^A-Za-z0-9]/g, '\\$&'), 'gi');
  const clean = (text: string) => text.replace(pattern, '[REDACTED]');
  const { curl, ...rest } = finding;
  return { ...rest, detail: clean(rest.detail), ...(curl === undefined ? {} : { curl: clean(curl) }) };
}
