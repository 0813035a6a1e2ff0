/** A terminal, or a file, that a report writes to. */
import { createReport, type Entry, type Report } from '../../../lib/output/report.ts';

interface Screen {
  readonly report: Report;
  /** All that was written. */
  readonly text: () => string;
  readonly lines: () => readonly string[];
  resize(columns: number): void;
}

const PLAIN = { noColor: true, forcesColor: false, isDumb: false };

/** A report on a terminal of so many columns, or into a file where none are given. */
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

/** What one entry becomes. */
export async function told(entry: Entry, columns?: number): Promise<readonly string[]> {
  const { report, lines } = await screen(columns);
  report.print(entry);
  report.close();
  return lines();
}
