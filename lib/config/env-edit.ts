/** Writes one setting into the env file: whole or not at all, every other byte as it was. */
import { readFile, realpath, rm } from 'node:fs/promises';
import { StopError } from '../util/errors.ts';
import { replaceFile } from '../util/replace-file.ts';
import type { Secret } from '../util/secret.ts';
import { assignmentsIn, readEnvFile } from './env-file.ts';

/** An env file that holds a new value. */
export interface Written {
  readonly path: string;
  /** Puts the text from before back, unless somebody changed the file meanwhile; says whether it did. */
  readonly undo: () => Promise<boolean>;
}

const MODE = 0o600;

/** `text` with `name` set to `value`, in its place or on a line of its own at the end. */
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

/** Single quotes keep every character that a token can have, in dotenv and in a shell (which expands a bare `~root/`). */
const quoted = (value: string): string => (/^[\w.+/:@%^-]+$/.test(value) ? value : `'${value}'`);

/**
 * Sets `name` in the env file to a secret, mode 0600.
 * @throws StopError when it cannot; the file is then as it was
 */
export async function writeSetting(file: string, name: string, value: Secret): Promise<Written> {
  try {
    const path = await realpath(file).catch(() => file);
    const before = await readText(path);
    const after = withSetting(before ?? '', name, value.reveal());
    await replaceFile(path, after, MODE, (beside) => judge(beside, path, name, value));
    return { path: file, undo: () => undo(path, before, after) };
  } catch (cause) {
    if (cause instanceof StopError) throw cause;
    throw notWritten(file, (cause as Error).message, cause);
  }
}

/** As it is, byte order mark included; undefined when there is none. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What dotenv reads from the new file must be the old settings and the new value. */
async function judge(beside: string, path: string, name: string, value: Secret): Promise<void> {
  const [was, is] = await Promise.all([readEnvFile(path), readEnvFile(beside)]);
  const wanted = { ...was.values, [name]: value.reveal() };
  const same = Object.keys(wanted).every((key) => is.values[key] === wanted[key]);
  if (!same || Object.keys(is.values).length !== Object.keys(wanted).length)
    throw notWritten(path, `the line of ${name} there cannot be replaced safely`);
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
    'Nothing was changed on the proxy. Mend the file or its folder, or leave --write-env out.',
    { cause },
  );
