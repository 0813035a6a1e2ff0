/** A terminal, or a file, that a report writes to. */
import { createReport, type Entry, type Report } from '../../../lib/output/report.ts';

interface Screen {
  readonly report: Report;
  /** Everything written so far. */
  readonly text: () => string;
  readonly lines: () => readonly string[];
  resize(columns: number): void;
}

const PLAIN = { noColor: true, forcesColor: false, isDumb: false };

/** A report on a terminal with this many columns, or into a file by default. */
export async function screen(columns?: number, { verbose = false, terminal = PLAIN } = {}): Promise<Screen> {
  const written: string[] = [];
  const stream = {
    isTTY: columns !== undefined,
    columns,
    on: () => {},
    write: (text: string) => written.push(text) > 0,
  };
  const report = await createReport({
    stream: stream as unknown as NodeJS.WriteStream,
    terminal,
    verbose,
  });
  const text = () => written.join('');
  return {
    report,
    text,
    lines: () => text().split('\n').slice(0, -1),
    resize: (wanted) => {
      stream.columns = wanted;
    },
  };
}

/** The printed lines of one entry. */
export async function printed(entry: Entry, columns?: number): Promise<readonly string[]> {
  const { report, lines } = await screen(columns);
  report.print(entry);
  report.close();
  return lines();
}
