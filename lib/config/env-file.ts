/** The env file: read whole and strictly, so that a slip is told and not half taken. The only user of dotenv. */
import { constants, createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly exists: boolean;
  /** May others than its owner read it? */
  readonly isOpen: boolean;
}

/** One assignment: its name, its value as it is written, and where that stands. */
interface Assignment {
  readonly name: string;
  readonly value: string;
  readonly from: number;
}

const ABSENT: EnvFile = { values: {}, problems: [], exists: false, isOpen: false };
const MOST_BYTES = 16 * 1024 * 1024;

/** Reads `file`; a missing file is an empty one. */
export async function readEnvFile(file: string): Promise<EnvFile> {
  const unreadable = (why: string): EnvFile => ({ ...ABSENT, exists: true, problems: [`${file}: ${why}`] });
  try {
    const facts = await stat(file);
    // Opened without a writer, a pipe would keep the whole process, even from ending.
    if (facts.isFIFO()) return unreadable('is a pipe, not a file');
    const bytes = await readBytes(file);
    if (bytes.length > MOST_BYTES) return unreadable('is too large for an env file');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const isOpen = (facts.mode & 0o077) !== 0;
    const { parse } = await import('dotenv');
    return { values: parse(text), problems: judgeLines(file, text), exists: true, isOpen };
  } catch (error) {
    if (error instanceof TypeError) return unreadable('is not UTF-8 text');
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return ABSENT;
    return unreadable(code === 'EISDIR' ? 'is a directory, not a file' : `cannot be read (${code})`);
  }
}

/** No more than is taken for an env file, and not waiting for it: not every path is one of a file. */
async function readBytes(file: string): Promise<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  // @ts-expect-error Node takes a number, as everywhere; its types do not.
  return Buffer.concat(await createReadStream(file, { flags, end: MOST_BYTES }).toArray());
}

// dotenv's own idea of an assignment, so that what is judged and replaced is what it reads.
const ASSIGNMENT =
  /(^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?))(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?[^\S\r\n]*(?:#.*)?(?:$|\r?$)/gm;

/** The assignments that dotenv finds in `text`. */
export const assignmentsIn = (text: string): readonly Assignment[] =>
  [...text.matchAll(ASSIGNMENT)].map(({ index, 1: head = '', 2: name = '', 3: value = '' }) => ({
    name,
    value,
    from: index + head.length,
  }));

/** The numbers of the lines that are neither blank, nor a comment, nor part of an assignment. */
const strayLines = (text: string): readonly number[] =>
  text
    .replace(ASSIGNMENT, (assignment) => assignment.replace(/[^\n]/g, ' '))
    .split('\n')
    .flatMap((line, i) => (/^\s*(?:#|$)/.test(line) ? [] : [i + 1]));

/** What dotenv would pass over in silence: a name given twice, a value cut at an unquoted `#`, a line that is nothing. */
function judgeLines(file: string, raw: string): string[] {
  // As dotenv does before it looks.
  const text = raw.replace(/\r\n?/g, '\n');
  const lines = assignmentsIn(text);
  const names = lines.map(({ name }) => name);
  const doubled = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  const cut = lines.filter(
    ({ value, from }) => /^[^'"`]*\S$/.test(value) && text[from + value.length] === '#',
  );
  return [
    ...[...doubled].map((name) => `${name}: stands more than once in ${file}; keep one`),
    ...cut.map(
      ({ name }) => `${name}: its value in ${file} has a # outside quotes; put the value in single quotes`,
    ),
    // A stray line is not repeated: it may hold a token.
    ...strayLines(text).map((line) => `${file}:${line}: is no NAME=value; mend it, or put a # before it`),
  ];
}
