/** A failure as a block: the error, its cause, the fix. */
import type { Failed, Problem } from './entry.ts';
import { stepLine } from './steps.ts';
import type { Layout } from './styles.ts';
import { withLead } from './text.ts';

const INDENT = ' '.repeat(11);

/** The error as the program reported it, its cause, the fix; manual recovery steps come last. */
export function failureBlock(failed: Failed, layout: Layout): string {
  const { host, became, steps = [], failure, todo = [] } = failed;
  const { cause, fix = '' } = failure;
  return [
    head(became ? `${host}: ${became}` : host, layout),
    ...steps.map((step) => `  ${stepLine(step, layout)}`),
    labeled('error', failure.text, layout),
    ...(cause ? [labeled('cause', cause, layout)] : []),
    ...fixLines(fix, layout),
    ...todo.map((line) => INDENT + layout.clean(line)),
  ].join('\n');
}

/** Problems that the operator can fix, one marked line each; the indented lines of a stack trace belong to the line above. */
export function problemBlock({ message, advice }: Problem, layout: Layout): string {
  const lines = layout.clean(message).split('\n');
  return [
    ...lines.map((line) => (/^\s/.test(line) ? `  ${line}` : head(line, layout))),
    ...fixLines(advice, layout),
  ].join('\n');
}

const head = (text: string, { styles, clean, width }: Layout): string =>
  withLead(`  ${styles.bad('✗')} `, clean(text), width);

const labeled = (label: string, text: string, { styles, clean, width }: Layout): string =>
  withLead(`    ${styles.bold(label.padEnd(5))}  `, clean(text), width);

/** An indented line is meant to be pasted and is not wrapped. */
function fixLines(text: string, layout: Layout): string[] {
  const [first = '', ...more] = text.split('\n');
  return [
    labeled('fix', first, layout),
    ...more.map((line) =>
      /^\s/.test(line)
        ? INDENT + layout.clean(line.trimStart())
        : withLead(INDENT, layout.clean(line), layout.width),
    ),
  ];
}
