/** What a script gets, and what it returns. */
import type { Flags } from '../config/flag-table.ts';
import type { Settings } from '../config/settings.ts';
import type { HostReport } from '../model/host-report.ts';
import type { Site } from '../model/site.ts';
import type { Report } from '../output/report.ts';
import type { ExitStatus } from '../util/errors.ts';
import type { Secret } from '../util/secret.ts';

/** What would stay behind if the script ended now. */
export interface UnderWay {
  /** The hosts that a change was sent to, with their reports; undefined while it is running. */
  readonly hosts: Map<string, HostReport | undefined>;
  /** The new tokens, by client, that were not shown yet. */
  readonly tokens: Map<string, Secret>;
  /** The env file that holds a new token before it is live anywhere. */
  envFile?: string;
}

/** What a script gets. */
export interface Context {
  readonly site: Site;
  readonly settings: Settings;
  readonly flags: Flags;
  readonly report: Report;
  /** Arguments other than flags. */
  readonly words: readonly string[];
  /** What an interruption would leave behind. */
  readonly underWay: UnderWay;
}

/** What a script returns: its exit status, and what `--json` shows. */
export interface Result {
  readonly exit: ExitStatus;
  /** The reports of the proxies, for the hook. */
  readonly hosts?: readonly HostReport[];
  /** Data for stdout; everything else then goes to stderr. */
  readonly data?: string;
  /** Left out by `--help`. */
  readonly json?: Readonly<Record<string, unknown>>;
}
