/** What a script gets, and what it leaves. */
import type { ExitStatus } from './errors.ts';
import type { Flags } from './flags.ts';
import type { Report } from './report.ts';
import type { Secret } from './secret.ts';
import type { Settings } from './settings.ts';
import type { Site } from './sites.ts';

/** The hosts that are at work on a program, and the new tokens, by client, that may go live there unseen. */
export interface UnderWay {
  readonly hosts: Set<string>;
  readonly tokens: Map<string, Secret>;
}

/** What a script gets. */
export interface Context {
  readonly site: Site;
  readonly settings: Settings;
  readonly flags: Flags;
  readonly report: Report;
  /** What stands on the command line beside flags. */
  readonly words: readonly string[];
  /** What an interruption would leave behind. */
  readonly underWay: UnderWay;
}

/** What a script leaves: its exit status, and what `--json` shows. */
export interface Result {
  readonly exit: ExitStatus;
  readonly json: Readonly<Record<string, unknown>>;
}
