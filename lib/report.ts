/** What the operator sees: one formatter an entry, lines as things happen. The only user of chalk. */
import type { ChalkInstance } from 'chalk';
import type { CheckResult, CheckStatus } from './checks.ts';
import { explain } from './explain.ts';
import type { Failure } from './outcome.ts';
import { printable, redactor } from './redact.ts';
import type { Secret } from './secret.ts';

/** One thing worth telling. */
export type Entry =
  | { readonly kind: 'title'; readonly text: string }
  | {
      readonly kind: 'step';
      readonly host: string;
      readonly name: string;
      readonly milliseconds: number;
      readonly ok: boolean;
    }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'detail'; readonly text: string }
  | { readonly kind: 'check'; readonly result: CheckResult }
  | { readonly kind: 'diff'; readonly text: string }
  | {
      readonly kind: 'failure';
      readonly host: string;
      readonly failure: Failure;
      readonly todo?: readonly string[] | undefined;
    }
  | { readonly kind: 'problem'; readonly message: string; readonly advice: string }
  | { readonly kind: 'summary'; readonly ok: boolean; readonly text: string };

/** Tells an entry, or shows a new token: the one time that a secret is printed. */
export interface Report {
  readonly tell: (entry: Entry) => void;
  readonly showToken: (client: string, token: Secret) => void;
  /** From now on this secret is taken out of everything that is told. */
  readonly hide: (secret: Secret) => void;
  /** The text as it may be told. */
  readonly clean: (text: string) => string;
}

export interface ReportOptions {
  readonly stream: NodeJS.WriteStream;
  readonly verbose: boolean;
  readonly noColor: boolean;
}

type Style = (text: string) => string;
type Styles = Readonly<Record<'good' | 'bad' | 'warn' | 'dim' | 'bold' | 'added' | 'removed', Style>>;

/** A report that writes lines to `stream`, in colour only on a terminal. */
export async function createReport(options: ReportOptions): Promise<Report> {
  const { stream, verbose } = options;
  const secrets: Secret[] = [];
  const clean = (text: string) => printable(redactor(secrets)(text));
  const styles = await stylesFor(stream.isTTY === true && !options.noColor);
  // Whoever read our output may have gone (`| head`): the change goes on all the same.
  stream.on('error', () => {});
  const write = (text: string) => void stream.write(`${text}\n`);
  return {
    clean,
    hide: (secret) => void secrets.push(secret),
    tell: (entry) => {
      if (entry.kind === 'detail' && !verbose) return;
      const text = format(entry, styles, clean);
      if (text !== '') write(text);
    },
    showToken: (client, token) =>
      write(
        `\n  ${styles.bold(`New token of the client ${client}, shown this once:`)}\n  ${token.reveal()}\n`,
      ),
  };
}

/** chalk costs some 30 ms to load: only where colours will be seen. */
async function stylesFor(colour: boolean): Promise<Styles> {
  const plain: Style = (text) => text;
  if (!colour)
    return { good: plain, bad: plain, warn: plain, dim: plain, bold: plain, added: plain, removed: plain };
  const chalk: ChalkInstance = (await import('chalk')).default;
  return {
    good: chalk.green,
    bad: chalk.red,
    warn: chalk.yellow,
    dim: chalk.dim,
    bold: chalk.bold,
    added: chalk.green,
    removed: chalk.red,
  };
}

const MARKS: Readonly<Record<CheckStatus, readonly [keyof Styles, string]>> = {
  passed: ['good', '✓'],
  warned: ['warn', '!'],
  failed: ['bad', '✗'],
  skipped: ['dim', '–'],
};

/** The steps of the remote program, as people read them. */
const STEPS: Readonly<Record<string, string>> = {
  connect: 'connect',
  survey: 'look at nginx and the files',
  write: 'write beside, keep what was',
  test: 'nginx tests it (nginx -t)',
  reload: 'reload, old workers gone',
  record: 'record the release',
  restore: 'put back what was there',
  look: 'look at nginx and certificate',
  challenge: 'place a challenge file',
  fetch: 'fetch it as the CA would',
  order: 'certbot asks the CA',
  sign: 'the proxy signs a certificate',
  serve: 'reload, new certificate served',
  checks: 'its own services answer',
};

type Formatters = {
  readonly [K in Entry['kind']]: (entry: Extract<Entry, { kind: K }>, styles: Styles, clean: Style) => string;
};

const FORMAT: Formatters = {
  title: ({ text }, s, clean) => s.bold(clean(text)),
  step: ({ host, name, milliseconds, ok }, s, clean) =>
    `  ${ok ? s.good('✓') : s.bad('✗')} ${(STEPS[name] ?? clean(name)).padEnd(28)} ${s.dim(`${String(milliseconds).padStart(5)} ms  ${host}`)}`,
  file: ({ path }, s, clean) => s.dim(`    changed ${clean(path)}`),
  note: ({ text }, s, clean) => `  ${s.dim('·')} ${clean(text)}`,
  warning: ({ text }, s, clean) => `  ${s.warn('!')} ${clean(text)}`,
  text: ({ text }, _, clean) => indent(clean(text), '  '),
  detail: ({ text }, s, clean) => s.dim(indent(clean(text), '    ')),
  check: ({ result }, s, clean) => {
    const [style, mark] = MARKS[result.status];
    return `  ${s[style](mark)} ${result.name.padEnd(28)} ${clean(result.detail)}`;
  },
  diff: ({ text }, s, clean) =>
    clean(text)
      .split('\n')
      .map((line) => diffLine(line, s))
      .join('\n'),
  failure: ({ host, failure, todo }, s, clean) => {
    const { means, next } = explain(failure);
    const steps = (todo ?? []).map((step) => `      ${step}`);
    return [
      `  ${s.bad('✗')} ${host}`,
      indent(clean(failure.text), '    '),
      ...(means ? [`  ${s.bold('means')}  ${clean(means)}`] : []),
      `  ${s.bold('next')}   ${indent(clean(next), '         ').trimStart()}`,
      ...steps.map(clean),
    ].join('\n');
  },
  problem: ({ message, advice }, s, clean) =>
    [
      ...clean(message)
        .split('\n')
        .map((line) => `  ${s.bad('✗')} ${line}`),
      `  ${s.bold('next')}   ${clean(advice)}`,
    ].join('\n'),
  summary: ({ ok, text }, s, clean) => (ok ? s.good(clean(text)) : s.bad(clean(text))),
};

function format(entry: Entry, styles: Styles, clean: Style): string {
  const formatter = FORMAT[entry.kind] as (entry: Entry, styles: Styles, clean: Style) => string;
  return formatter(entry, styles, clean);
}

const indent = (text: string, by: string): string => text.replace(/^(?=.)/gm, by);

function diffLine(line: string, styles: Styles): string {
  if (line.startsWith('+')) return styles.added(line);
  return line.startsWith('-') ? styles.removed(line) : line;
}
