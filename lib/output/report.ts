/** What the operator sees: lines as things happen, and on a terminal what is under way. */
import type { CommandLine } from '../config/flag-table.ts';
import type { Terminal } from '../config/settings.ts';
import type { Secret } from '../util/secret.ts';
import { commandsWith } from './commands.ts';
import type { Entry } from './entry.ts';
import { format } from './format.ts';
import { createProgress, keepSteps } from './progress.ts';
import { printable, redactor } from './redact.ts';
import { stylesFor } from './styles.ts';
import { widthOf } from './text.ts';
import { startLines } from './writer.ts';

export type { Entry } from './entry.ts';
export { MARKS } from './styles.ts';

/** Tells an entry, or shows a new token: the one time that a secret is printed. */
export interface Report {
  readonly tell: (entry: Entry) => void;
  readonly showToken: (client: string, token: Secret) => void;
  /** From now on this secret is taken out of everything that is told. */
  readonly hide: (secret: Secret) => void;
  /** From now on commands of this suite in a text carry the flags of this run. */
  readonly carry: (line: CommandLine) => void;
  /** The text as it may be told. */
  readonly clean: (text: string) => string;
  /** The end: nothing is shown as under way any more. */
  readonly close: () => void;
}

interface ReportOptions {
  readonly stream: NodeJS.WriteStream;
  readonly terminal: Terminal;
  readonly verbose: boolean;
}

const BLOCKS: ReadonlySet<Entry['kind']> = new Set(['failure', 'problem', 'table', 'diff']);

/** A report that writes lines to `stream`: in colour, wrapped, and with what is under way only on a terminal. */
export async function createReport({ stream, terminal, verbose }: ReportOptions): Promise<Report> {
  const secrets: Secret[] = [];
  let withFlags = (text: string) => text;
  const safe = (text: string) => printable(redactor(secrets)(text));
  const clean = (text: string) => safe(withFlags(text));
  const styles = await stylesFor(stream, terminal);
  const progress = createProgress();
  const underWay = () => clean(progress.line() ?? '');
  const lines = startLines(stream, terminal.isDumb ? undefined : underWay);
  const pass = verbose ? (entry: Entry) => entry : keepSteps();
  let hosts: readonly string[] = [];
  const tell = (told: Entry) => {
    progress.hear(told);
    if (told.kind === 'hosts') hosts = told.hosts;
    const entry = pass(told);
    if (!entry || (entry.kind === 'detail' && !verbose)) return;
    // A diff shows a file as it is.
    const layout = { styles, clean: entry.kind === 'diff' ? safe : clean, hosts, width: widthOf(stream) };
    const text = format(entry, layout);
    if (text === '') return;
    if (BLOCKS.has(entry.kind)) lines.writeBlock(text);
    else lines.write(text);
  };
  const showToken = (client: string, token: Secret) => {
    const title = styles.bold(`New token of the client ${client}, shown this once:`);
    lines.writeBlock(`  ${title}\n  ${token.reveal()}`);
  };
  return {
    tell,
    showToken,
    clean,
    hide: (secret) => void secrets.push(secret),
    carry: (line) => {
      withFlags = commandsWith(line);
    },
    close: lines.close,
  };
}
