/** Error classes, each with its exit status. */

/** The exit statuses (docs/reference.md, "Exit status"). */
export const EXIT = { done: 0, refused: 1, usage: 2, checkFailed: 3, unknown: 4, restoreFailed: 5 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** The meaning of each exit status, for the docs' table. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done, or nothing to do',
  refused: 'refused, failed or rolled back; the previous configuration is still active',
  usage: 'invalid usage or settings; no connection was made',
  checkFailed:
    'the change is live, but a check failed, or the gate has no clients and rejects every request; for `status`: a proxy needs attention; for `deploy --dry-run --exit-code`: changes are pending',
  unknown: 'the connection was lost after the change was sent; its outcome is unknown',
  restoreFailed: 'the rollback failed; manual recovery steps are printed',
};

/** A problem that the operator can fix. `advice` gives the cause and the fix. */
export class StopError extends Error {
  override name = 'StopError';
  readonly exit: ExitStatus = EXIT.refused;
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** Invalid arguments or settings: all problems together, found before any connection is made. */
export class UsageError extends StopError {
  override name = 'UsageError';
  override readonly exit = EXIT.usage;
  readonly problems: readonly string[];

  constructor(
    problems: readonly string[],
    advice = 'No connection was made. Fix the errors above and retry.',
    options?: ErrorOptions,
  ) {
    super(problems.join('\n'), advice, options);
    this.problems = problems;
  }
}

/**
 * Returns if there are no problems.
 * @throws UsageError with all problems
 */
export function refuseAll(judged: readonly (string | false | undefined)[], advice?: string): void {
  const problems = judged.filter((problem) => typeof problem === 'string');
  if (problems.length > 0) throw new UsageError(problems, advice);
}

/** A hop could not be reached or verified, or the connection to it was lost. */
export class SshError extends StopError {
  override name = 'SshError';

  /** @param hop its label in messages: `jump host 4nk.myftp.biz` */
  constructor(hop: string, message: string, advice: string, options?: ErrorOptions) {
    super(`${hop}: ${message}`, advice, options);
  }
}
