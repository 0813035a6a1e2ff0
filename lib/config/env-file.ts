/** Reads the env file strictly: mistakes are reported instead of being ignored. The only user of dotenv. */
import { constants, createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly exists: boolean;
  /** Whether users other than its owner can read it. */
  readonly isOpen: boolean;
}

/** One assignment: its name, its raw value, and the position of the value. */
interface Assignment {
  readonly name: string;
  readonly value: string;
  readonly from: number;
}

const ABSENT: EnvFile = { values: {}, problems: [], exists: false, isOpen: false };
const MOST_BYTES = 16 * 1024 * 1024;

/** Reads `file`; a missing file counts as empty. */
export async function readEnvFile(file: string): Promise<EnvFile> {
  const unreadable = (why: string): EnvFile => ({ ...ABSENT, exists: true, problems: [`${file}: ${why}`] });
  try {
    const facts = await stat(file);
    // Opening a pipe without a writer would block the process, and even prevent it from exiting.
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

/** Limited in size and non-blocking, because not every path is a regular file. */
async function readBytes(file: string): Promise<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  // @ts-expect-error Node takes a number, as everywhere; its types do not.
  return Buffer.concat(await createReadStream(file, { flags, end: MOST_BYTES }).toArray());
}

// dotenv's own assignment pattern, so that validation and edits see the same text as dotenv.
const ASSIGNMENT =
  /(^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?))(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?[^\S\r\n]*(?:#.*)?(?:$|\r?$)/gm;

/** The assignments that dotenv finds in `text`. */
export const assignmentsIn = (text: string): readonly Assignment[] =>
  [...text.matchAll(ASSIGNMENT)].map(({ index, 1: head = '', 2: name = '', 3: value = '' }) => ({
    name,
    value,
    from: index + head.length,
  }));

/** The numbers of lines that are neither blank, nor a comment, nor part of an assignment. */
const invalidLines = (text: string): readonly number[] =>
  text
    .replace(ASSIGNMENT, (assignment) => assignment.replace(/[^\n]/g, ' '))
    .split('\n')
    .flatMap((line, i) => (/^\s*(?:#|$)/.test(line) ? [] : [i + 1]));

/** What dotenv would silently ignore: a duplicate name, a value truncated at an unquoted `#`, an invalid line. */
function judgeLines(file: string, raw: string): string[] {
  // dotenv normalizes line endings, too.
  const text = raw.replace(/\r\n?/g, '\n');
  const lines = assignmentsIn(text);
  const names = lines.map(({ name }) => name);
  const duplicates = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  const truncated = lines.filter(
    ({ value, from }) => /^[^'"`]*\S$/.test(value) && text[from + value.length] === '#',
  );
  return [
    ...[...duplicates].map((name) => `${name}: set more than once in ${file}; keep one`),
    ...truncated.map(
      ({ name }) => `${name}: its value in ${file} contains an unquoted #; put the value in single quotes`,
    ),
    // The line itself is not printed: it may contain a token.
    ...invalidLines(text).map(
      (line) => `${file}:${line}: not a NAME=value line; fix it, or comment it out with #`,
    ),
  ];
}
