/** The classes of failure, each with the exit status that the process then returns. */

/** What a process of the suite may return (docs/reference.md, "Exit status"). */
export const EXIT = { done: 0, refused: 1, usage: 2, checkFailed: 3, unknown: 4, restoreFailed: 5 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** What each exit status means, for the table in the docs. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done, or nothing to do',
  refused: 'refused, failed or rolled back; the previous configuration is still active',
  usage: 'invalid usage or settings; no connection was made',
  checkFailed:
    'the change is live, but a check failed, or the gate has no clients and rejects every request; for `status`: a proxy needs attention',
  unknown: 'the connection was lost after the change was sent; its outcome is unknown',
  restoreFailed: 'the rollback failed; manual recovery steps are printed',
};

/** Something that the operator can mend. `advice` says what it means and what to do next. */
export class StopError extends Error {
  override name = 'StopError';
  readonly exit: ExitStatus = EXIT.refused;
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** Bad usage or settings: every problem at once, found before anything was contacted. */
export class UsageError extends StopError {
  override name = 'UsageError';
  override readonly exit = EXIT.usage;
  readonly problems: readonly string[];

  constructor(
    problems: readonly string[],
    advice = 'Nothing was contacted. Mend what is named above and run it again.',
    options?: ErrorOptions,
  ) {
    super(problems.join('\n'), advice, options);
    this.problems = problems;
  }
}

/**
 * Goes on where none of them is a problem.
 * @throws UsageError with every one that is
 */
export function refuseAll(judged: readonly (string | false | undefined)[], advice?: string): void {
  const problems = judged.filter((problem) => typeof problem === 'string');
  if (problems.length > 0) throw new UsageError(problems, advice);
}

/** A hop could not be reached, was not the host it should be, or went away. */
export class SshError extends StopError {
  override name = 'SshError';

  /** @param hop as the operator reads it: `jump host 4nk.myftp.biz` */
  constructor(hop: string, message: string, advice: string, options?: ErrorOptions) {
    super(`${hop}: ${message}`, advice, options);
  }
}
