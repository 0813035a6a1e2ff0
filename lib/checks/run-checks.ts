/** Runs all checks concurrently, each with a time limit, and reports them in the order of the list. */
import { setMaxListeners } from 'node:events';
import { type Check, type CheckResult, type CheckTarget, type Finding, failed } from '../model/check.ts';
import type { Secret } from '../util/secret.ts';
import { Connections } from './http/connections.ts';
import { errorAdvice } from './http/failures.ts';
import { connectSecured } from './http/request.ts';
import { RequestSlots } from './http/slots.ts';

/** A check's time limit, including its repetition: a backend may never end a response. */
const LIMIT_MS = 15_000;
/** Before its time limit, a check must stop waiting and report what it waited for. */
const GRACE_MS = 300;

/** Checks that compete for this machine's CPU; a timed check is repeated when none of them is running. */
export class Workload {
  readonly #running = new Set<Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /** Counts `work` as running until it ends. */
  async run<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Runs `work` alone, when nothing else is running. */
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
 * Runs every check independently. A check that throws or exceeds its time limit fails.
 * @param onResult receives the results in list order, each as soon as all earlier ones are complete
 * @param workload shared by checks that run at the same time
 */
export async function runChecks(
  checks: readonly Check[],
  target: CheckTarget,
  onResult: (result: CheckResult) => void = () => {},
  workload = new Workload(),
): Promise<readonly CheckResult[]> {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const connections = new Connections((isSecret) =>
    connectSecured({ ...target, signal: ending.signal }, isSecret),
  );
  const slots = new RequestSlots();
  const running = checks.map((check) =>
    runTwiceIfSlow(check, { ...target, connections, slots: slots.share() }, workload),
  );
  try {
    return await inOrder(running, onResult);
  } finally {
    ending.abort();
    connections.close();
  }
}

/** The results in order, each reported as soon as all earlier ones are complete. */
async function inOrder(
  running: readonly Promise<CheckResult>[],
  onResult: (result: CheckResult) => void,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const run of running) {
    const result = await run;
    results.push(result);
    onResult(result);
  }
  return results;
}

/**
 * A timed check that failed because of its measurement is repeated alone: the others may have kept this process busy. A
 * check that failed for another reason, such as a timeout, would fail again. If too little time is left, the first
 * result stands.
 */
async function runTwiceIfSlow(check: Check, target: CheckTarget, workload: Workload): Promise<CheckResult> {
  const end = performance.now() + (target.timeoutMs ?? LIMIT_MS);
  const result = await workload.run(runOne(check, target));
  if (!check.isTimed || result.ok || result.measured === undefined) return result;
  return workload.runAlone(async () => {
    const remainingMs = Math.floor(end - performance.now());
    return remainingMs > result.milliseconds + GRACE_MS
      ? runOne(check, { ...target, timeoutMs: remainingMs })
      : result;
  });
}

async function runOne(check: Check, target: CheckTarget): Promise<CheckResult> {
  const start = performance.now();
  const command = check.curl === undefined ? {} : { curl: check.curl(target) };
  const finding = [target.token, target.inferenceToken].reduce(redacted, {
    ...command,
    ...(await withTimeLimit(check, target)),
  });
  const milliseconds = Math.round(performance.now() - start);
  return { name: check.name, ok: finding.status !== 'failed', ...finding, milliseconds };
}

/**
 * The signal aborts a check's requests, which then report what they waited for; the race covers code that ignores the
 * signal.
 */
async function withTimeLimit(check: Check, target: CheckTarget): Promise<Finding> {
  const limit = target.timeoutMs ?? LIMIT_MS;
  const control = new AbortController();
  setMaxListeners(0, control.signal);
  const ending = setTimeout(() => control.abort(), limit - Math.min(GRACE_MS, limit / 10));
  const timeout = afterLimit(limit);
  try {
    const run = check.run({ ...target, timeoutMs: limit, signal: control.signal });
    return await Promise.race([run, timeout.finding]);
  } catch (error) {
    return failed(errorAdvice(error, target));
  } finally {
    clearTimeout(ending);
    timeout.cancel();
    control.abort();
  }
}

function afterLimit(limitMs: number): { finding: Promise<Finding>; cancel: () => void } {
  let cancel = () => {};
  const finding = new Promise<Finding>((resolve) => {
    const timer = setTimeout(() => resolve(timedOut(limitMs)), limitMs);
    cancel = () => clearTimeout(timer);
  });
  return { finding, cancel: () => cancel() };
}

function timedOut(limitMs: number): Finding {
  return failed(
    `The check did not finish within ${limitMs / 1000} s. Something on the network path accepts connections but does not respond. Check the proxy and the network, then retry.`,
  );
}

/** Last safeguard: removes the token, in any letter case. */
function redacted(finding: Finding, token: Secret | undefined): Finding {
  if (token === undefined || token.reveal() === '') return finding;
  const pattern = new RegExp(token.reveal().replace(/[^A-Za-z0-9]/g, '\\$&'), 'gi');
  const clean = (text: string) => text.replace(pattern, '[REDACTED]');
  const { curl, ...rest } = finding;
  return { ...rest, detail: clean(rest.detail), ...(curl === undefined ? {} : { curl: clean(curl) }) };
}
