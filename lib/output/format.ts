/** One formatter per kind of entry: data in, lines out. */
import type { Entry } from './entry.ts';
import { failureBlock, problemBlock } from './failure-block.ts';
import { stepLine } from './steps.ts';
import { hasSeveralHosts, type Layout, MARKS, type Styles } from './styles.ts';
import { tableText } from './table.ts';
import { columns, hanging, padded, withLead } from './text.ts';

type Formatters = {
  readonly [K in Entry['kind']]: (entry: Extract<Entry, { kind: K }>, layout: Layout) => string;
};

const silent = () => '';

const FORMAT: Formatters = {
  hosts: silent,
  begin: silent,
  over: silent,
  asking: silent,
  answered: silent,
  title: ({ text }, { styles, clean, width }) => styles.bold(hanging(clean(text), width)),
  step: (step, layout) => {
    const line = stepLine(step, layout);
    return hasSeveralHosts(layout) ? `${line}  ${layout.styles.dim(step.host)}` : line;
  },
  host: ({ host, ok, milliseconds, text }, { styles, clean, width, hosts }) => {
    const [style, mark] = MARKS[ok ? 'passed' : 'failed'];
    const name = padded(host, Math.max(...hosts.map(columns)));
    const time = styles.dim(`${(milliseconds / 1000).toFixed(1)} s`.padStart(7));
    return withLead(`  ${styles[style](mark)} ${name} ${time}  `, clean(text), width);
  },
  file: ({ text }, { styles, clean, width }) => styles.dim(withLead('  ', clean(text), width)),
  note: (note, layout) => marked('dim', '·', named(note, layout), layout),
  warning: (warning, layout) => marked('warn', '!', named(warning, layout), layout),
  point: ({ status, text }, layout) => marked(...MARKS[status], text, layout),
  text: ({ text }, { clean }) => indented(clean(text), '  '),
  detail: ({ text }, { styles, clean, width }) => styles.dim(withLead('    ', clean(text), width)),
  table: ({ table }, { clean, width }) => indented(clean(tableText(table, width - 2)), '  '),
  check: ({ result: { status, name, detail } }, { styles, clean, width }) => {
    const [style, mark] = MARKS[status];
    return withLead(`  ${styles[style](mark)} ${padded(name, 22)} `, clean(detail), width);
  },
  diff: ({ text }, { styles, clean }) =>
    clean(text)
      .split('\n')
      .map((line) => diffLine(line, styles))
      .join('\n'),
  failure: failureBlock,
  problem: problemBlock,
  summary: ({ ok, text }, { styles, clean, width }) =>
    clean(text)
      .split('\n')
      .map((line) => (ok ? styles.good : styles.bad)(hanging(line, width)))
      .join('\n'),
};

/** The entry as lines; empty if it has none. */
export function format(entry: Entry, layout: Layout): string {
  const formatter = FORMAT[entry.kind] as (entry: Entry, layout: Layout) => string;
  return formatter(entry, layout);
}

const marked = (style: keyof Styles, mark: string, text: string, { styles, clean, width }: Layout): string =>
  withLead(`  ${styles[style](mark)} `, clean(text), width);

const named = ({ host, text }: { host?: string; text: string }, layout: Layout): string =>
  host !== undefined && hasSeveralHosts(layout) ? `${host}: ${text}` : text;

const indented = (text: string, by: string): string => text.replace(/^(?=.)/gm, by);

function diffLine(line: string, { bold, place, added, removed }: Styles): string {
  if (/^(---|\+\+\+) /.test(line)) return bold(line);
  if (line.startsWith('@@')) return place(line);
  if (line.startsWith('+')) return added(line);
  return line.startsWith('-') ? removed(line) : line;
}
