/** Colors, the marks that convey the same without color, and the layout of lines. The only user of chalk. */
import type { Terminal } from '../config/settings.ts';
import type { CheckStatus } from '../model/check.ts';

const COLORS = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  dim: 'dim',
  bold: 'bold',
  added: 'green',
  removed: 'red',
  place: 'cyan',
} as const;
type Color = (typeof COLORS)[keyof typeof COLORS];
type Style = (text: string) => string;
export type Styles = Readonly<Record<keyof typeof COLORS, Style>>;

/** The style and the mark of each status. */
export const MARKS: Readonly<Record<CheckStatus, readonly [keyof Styles, string]>> = {
  passed: ['good', '✓'],
  warned: ['warn', '!'],
  failed: ['bad', '✗'],
  skipped: ['dim', '–'],
};

const stylesBy = (style: (color: Color) => Style): Styles =>
  Object.fromEntries(Object.entries(COLORS).map(([name, color]) => [name, style(color)])) as Styles;

const PLAIN = stylesBy(() => (text) => text);

/** Styles for `stream`; chalk takes about 30 ms to load, so it is loaded only if colors are used. */
export async function stylesFor(
  stream: NodeJS.WriteStream,
  { noColor, forcesColor }: Terminal,
): Promise<Styles> {
  if (noColor || !(stream.isTTY || forcesColor)) return PLAIN;
  const { Chalk, supportsColor, supportsColorStderr } = await import('chalk');
  const support = stream === process.stderr ? supportsColorStderr : supportsColor;
  if (!support) return PLAIN;
  const chalk = new Chalk({ level: support.level });
  return stylesBy((color) => chalk[color]);
}

export interface Layout {
  readonly styles: Styles;
  /** Removes secrets and control characters. */
  readonly clean: (text: string) => string;
  /** Available columns; Infinity without a terminal: nothing is wrapped, because logs are searched by line. */
  readonly width: number;
  /** The hosts of this run. */
  readonly hosts: readonly string[];
}

/** Does the run have several hosts, so that lines must include the host? */
export const hasSeveralHosts = ({ hosts }: Layout): boolean => hosts.length > 1;
