/** A failure as a block: what happened, what it means, what to do next. */
import type { Failed, Problem } from './entry.ts';
import { stepLine } from './steps.ts';
import type { Layout } from './styles.ts';
import { beside } from './text.ts';

const INDENT = ' '.repeat(11);

/** The program's own words, what they mean, what to do; last the steps by hand. */
export function failureBlock(failed: Failed, layout: Layout): string {
  const { host, became, steps = [], failure, todo = [] } = failed;
  const { means, next = '' } = failure;
  return [
    head(became ? `${host}: ${became}` : host, layout),
    ...steps.map((step) => `  ${stepLine(step, layout)}`),
    labelled('says', failure.text, layout),
    ...(means ? [labelled('means', means, layout)] : []),
    ...advice(next, layout),
    ...todo.map((line) => INDENT + layout.clean(line)),
  ].join('\n');
}

/** What the operator can mend here, a mark a line; further lines of a stack are no further problems. */
export function problemBlock({ message, advice: next }: Problem, layout: Layout): string {
  const lines = layout.clean(message).split('\n');
  return [
    ...lines.map((line) => (/^\s/.test(line) ? `  ${line}` : head(line, layout))),
    ...advice(next, layout),
  ].join('\n');
}

const head = (text: string, { styles, clean, width }: Layout): string =>
  beside(`  ${styles.bad('✗')} `, clean(text), width);

const labelled = (label: string, text: string, { styles, clean, width }: Layout): string =>
  beside(`    ${styles.bold(label.padEnd(5))}  `, clean(text), width);

/** A line that begins with a blank is there to be pasted: it stays as it is. */
function advice(text: string, layout: Layout): string[] {
  const [words = '', ...more] = text.split('\n');
  return [
    labelled('next', words, layout),
    ...more.map((line) =>
      /^\s/.test(line)
        ? INDENT + layout.clean(line.trimStart())
        : beside(INDENT, layout.clean(line), layout.width),
    ),
  ];
}
