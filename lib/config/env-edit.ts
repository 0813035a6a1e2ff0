/** Writes one setting to the env file atomically, without changing any other byte. */
import { readFile, realpath, rm } from 'node:fs/promises';
import { StopError } from '../util/errors.ts';
import { replaceFile } from '../util/replace-file.ts';
import type { Secret } from '../util/secret.ts';
import { assignmentsIn, readEnvFile } from './env-file.ts';

/** An env file with a new value. */
export interface Written {
  readonly path: string;
  /** False if the file already had this value. */
  readonly isNew: boolean;
  /** Restores the previous text, unless the file was edited in the meantime; returns whether it did. */
  readonly undo: () => Promise<boolean>;
}

const MODE = 0o600;

/** `text` with `name` set to `value`, in place or on a new line at the end. */
export function withSetting(text: string, name: string, value: string): string {
  const found = assignmentsIn(text).find((assignment) => assignment.name === name);
  if (!found) return appended(text, `${name}=${quoted(value)}`);
  const { value: old, from } = found;
  const [, before = '', , after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(old) ?? [];
  return `${text.slice(0, from)}${before}${quoted(value)}${after}${text.slice(from + old.length)}`;
}

function appended(text: string, line: string): string {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const gap = text === '' || /[\r\n]$/.test(text) ? '' : end;
  return `${text}${gap}${line}${end}`;
}

/** Single quotes preserve every character allowed in a token, in dotenv and in a shell (which expands an unquoted `~root/`). */
const quoted = (value: string): string => (/^[\w.+/:@%^-]+$/.test(value) ? value : `'${value}'`);

/**
 * Sets `name` in the env file to a secret, mode 0600.
 * @throws StopError if that fails; the file is then unchanged
 */
export async function writeSetting(file: string, name: string, value: Secret): Promise<Written> {
  try {
    const path = await realpath(file).catch(() => file);
    const before = await readText(path);
    const after = withSetting(before ?? '', name, value.reveal());
    await replaceFile(path, after, MODE, (newFile) => judge(newFile, path, name, value));
    return { path: file, isNew: before !== after, undo: () => undo(path, before, after) };
  } catch (cause) {
    if (cause instanceof StopError) throw cause;
    throw notWritten(file, (cause as Error).message, cause);
  }
}

/** The exact text including a byte order mark; undefined if there is no file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Checks that dotenv reads the old settings and the new value from the new file. */
async function judge(newFile: string, path: string, name: string, value: Secret): Promise<void> {
  const [was, is] = await Promise.all([readEnvFile(path), readEnvFile(newFile)]);
  const expected = { ...was.values, [name]: value.reveal() };
  const same = Object.keys(expected).every((key) => is.values[key] === expected[key]);
  if (!same || Object.keys(is.values).length !== Object.keys(expected).length)
    throw notWritten(path, `its line of ${name} cannot be replaced safely`);
}

async function undo(path: string, before: string | undefined, after: string): Promise<boolean> {
  if ((await readText(path)) !== after) return false;
  if (before === undefined) await rm(path);
  else await replaceFile(path, before, MODE);
  return true;
}

const notWritten = (file: string, why: string, cause?: unknown): StopError =>
  new StopError(
    `${file} cannot be written: ${why}`,
    'Nothing was changed on the proxy. Fix the file or its permissions, or omit --write-env.',
    { cause },
  );
