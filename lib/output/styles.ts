/** Colors, the marks that say the same without them, and what else lines are laid out by. The only user of chalk. */
import type { Terminal } from '../config/settings.ts';
import type { CheckStatus } from '../model/check.ts';

type Style = (text: string) => string;
export type Styles = Readonly<
  Record<'good' | 'bad' | 'warn' | 'dim' | 'bold' | 'added' | 'removed' | 'place', Style>
>;

/** Each status by a style and a mark. */
export const MARKS: Readonly<Record<CheckStatus, readonly [keyof Styles, string]>> = {
  passed: ['good', '✓'],
  warned: ['warn', '!'],
  failed: ['bad', '✗'],
  skipped: ['dim', '–'],
};

const plain: Style = (text) => text;
const PLAIN: Styles = {
  good: plain,
  bad: plain,
  warn: plain,
  dim: plain,
  bold: plain,
  added: plain,
  removed: plain,
  place: plain,
};

/** Styles for `stream`; chalk costs some 30 ms to load, so only where colours may be seen. */
export async function stylesFor(
  stream: NodeJS.WriteStream,
  { noColor, forcesColor }: Terminal,
): Promise<Styles> {
  if (noColor || !(stream.isTTY || forcesColor)) return PLAIN;
  const { Chalk, supportsColor, supportsColorStderr } = await import('chalk');
  const support = stream === process.stderr ? supportsColorStderr : supportsColor;
  if (!support) return PLAIN;
  const chalk = new Chalk({ level: support.level });
  return {
    good: chalk.green,
    bad: chalk.red,
    warn: chalk.yellow,
    dim: chalk.dim,
    bold: chalk.bold,
    added: chalk.green,
    removed: chalk.red,
    place: chalk.cyan,
  };
}

export interface Layout {
  readonly styles: Styles;
  /** Takes out secrets, and control bytes of other hosts. */
  readonly clean: (text: string) => string;
  /** Columns there are; Infinity without a terminal, where nothing is wrapped: logs are searched by line. */
  readonly width: number;
  /** The hosts at work. */
  readonly hosts: readonly string[];
}

/** Are several hosts at work, so that a line must name its own? */
export const areSeveral = ({ hosts }: Layout): boolean => hosts.length > 1;
