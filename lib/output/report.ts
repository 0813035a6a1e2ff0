/** The output for the operator: lines as events happen, and on a terminal the work in progress. */
import type { CommandLine } from '../config/flag-table.ts';
import type { Terminal } from '../config/settings.ts';
import type { Secret } from '../util/secret.ts';
import { commandsWith } from './commands.ts';
import type { Entry } from './entry.ts';
import { format } from './format.ts';
import { bufferSteps, createProgress } from './progress.ts';
import { printable, redactor } from './redact.ts';
import { stylesFor } from './styles.ts';
import { widthOf } from './text.ts';
import { startLines } from './writer.ts';

export type { Entry } from './entry.ts';
export { MARKS } from './styles.ts';

/** Prints entries, and a new token: the only secret that is ever printed. */
export interface Report {
  readonly print: (entry: Entry) => void;
  readonly showToken: (client: string, token: Secret) => void;
  /** From now on, removes this secret from all output. */
  readonly hide: (secret: Secret) => void;
  /** From now on, adds the flags of this run to gatepost commands in messages. */
  readonly carry: (line: CommandLine) => void;
  /** The text without secrets and control characters, its commands with the flags of this run. */
  readonly clean: (text: string) => string;
  /** The text without secrets and control characters. */
  readonly safe: (text: string) => string;
  /** Ends the report and removes the progress line. */
  readonly close: () => void;
}

interface ReportOptions {
  readonly stream: NodeJS.WriteStream;
  readonly terminal: Terminal;
  readonly verbose: boolean;
}

const BLOCKS: ReadonlySet<Entry['kind']> = new Set(['failure', 'problem', 'table', 'diff']);

/** A report that writes lines to `stream`; colors, wrapping and the progress line only on a terminal. */
export async function createReport({ stream, terminal, verbose }: ReportOptions): Promise<Report> {
  const secrets: Secret[] = [];
  let withFlags = (text: string) => text;
  const safe = (text: string) => printable(redactor(secrets)(text));
  const clean = (text: string) => safe(withFlags(text));
  const styles = await stylesFor(stream, terminal);
  const progress = createProgress();
  const underWay = () => clean(progress.line() ?? '');
  const lines = startLines(stream, terminal.isDumb ? undefined : underWay);
  const pass = verbose ? (entry: Entry) => entry : bufferSteps();
  let hosts: readonly string[] = [];
  const print = (given: Entry) => {
    progress.update(given);
    if (given.kind === 'hosts') hosts = given.hosts;
    const entry = pass(given);
    if (!entry || (entry.kind === 'detail' && !verbose)) return;
    // A diff shows the file unchanged, without added flags.
    const layout = { styles, clean: entry.kind === 'diff' ? safe : clean, hosts, width: widthOf(stream) };
    const text = format(entry, layout);
    if (text === '') return;
    if (BLOCKS.has(entry.kind)) lines.writeBlock(text);
    else lines.write(text);
  };
  const showToken = (client: string, token: Secret) => {
    const title = styles.bold(`New token of client ${client} (shown only once; store it now):`);
    lines.writeBlock(`  ${title}\n  ${token.reveal()}`);
  };
  return {
    print,
    showToken,
    clean,
    safe,
    hide: (secret) => void secrets.push(secret),
    carry: (line) => {
      withFlags = commandsWith(line);
    },
    close: lines.close,
  };
}
