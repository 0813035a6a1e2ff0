/** The env file: read whole and strictly, so that a slip is told and not half taken. The only user of dotenv. */
import { readFile, stat } from 'node:fs/promises';
import { parse } from 'dotenv';

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly exists: boolean;
  /** May others than its owner read it? */
  readonly isOpen: boolean;
}

const ABSENT: EnvFile = { values: {}, problems: [], exists: false, isOpen: false };

/** Reads `file`; a missing file is an empty one. */
export async function readEnvFile(file: string): Promise<EnvFile> {
  const unreadable = (why: string): EnvFile => ({ ...ABSENT, exists: true, problems: [`${file}: ${why}`] });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
    const isOpen = ((await stat(file)).mode & 0o077) !== 0;
    return { values: parse(text), problems: judgeLines(file, text), exists: true, isOpen };
  } catch (error) {
    if (error instanceof TypeError) return unreadable('is not UTF-8 text');
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return ABSENT;
    return unreadable(code === 'EISDIR' ? 'is a directory, not a file' : `cannot be read (${code})`);
  }
}

const LINE = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*)$/;

/** What dotenv would pass over in silence: a name given twice, a value cut at an unquoted `#`. */
function judgeLines(file: string, text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/).map((line) => LINE.exec(line) ?? []);
  const names = lines.map(([, name]) => name).filter((name) => name !== undefined);
  const doubled = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  const cut = lines.filter(([, , value]) => value !== undefined && /^[^\s'"`#][^'"`]*?\S#/.test(value));
  return [
    ...[...doubled].map((name) => `${name}: stands more than once in ${file}; keep one`),
    ...cut.map(
      ([, name]) => `${name}: its value in ${file} has a # outside quotes; put the value in single quotes`,
    ),
  ];
}
