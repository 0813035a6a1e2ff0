/** Runs scripts on a 60-column pseudo-terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { typescript } from '../namespaces/process.ts';
import type { Lab } from '../namespaces/types.ts';

export const CTRL_C = '\u0003';

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  /** Shell redirections, appended to the command. */
  readonly redirect?: string;
  /** Keys to type once `after` is on the screen; then stdin is closed, as with Ctrl-D. */
  readonly typed?: { readonly after: RegExp; readonly keys: string };
}

interface TerminalResult {
  readonly status: number | null;
  /** Every byte written to the terminal. */
  readonly raw: string;
  /** The final screen. */
  readonly rows: readonly string[];
}

/** Runs a script of the suite on a terminal. */
export async function onTerminal(
  lab: Pick<Lab, 'directory' | 'env'>,
  script: string,
  args: readonly string[],
  { env = {}, redirect = '', typed }: Options = {},
): Promise<TerminalResult> {
  const words = [process.execPath, ...typescript(`scripts/${script}.ts`, args)].map((word) => `'${word}'`);
  const command = `stty cols 60 rows 40; exec ${words.join(' ')} ${redirect}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: lab.directory,
    env: { ...lab.env, TERM: 'xterm-256color', ...env },
  });
  const chunks: Buffer[] = [];
  const raw = () => Buffer.concat(chunks).toString();
  child.stdout.on('data', (part: Buffer) => {
    chunks.push(part);
    if (!typed?.after.test(raw()) || child.stdin.writableEnded) return;
    child.stdin.end(typed.keys);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, raw: raw(), rows: screen(raw()) };
}

/** The final screen: text after a carriage return overwrites the line. */
function screen(text: string): readonly string[] {
  return stripVTControlCharacters(text)
    .split('\r\n')
    .map((line) =>
      line
        .split('\r')
        .reduce((row, part) => part + row.slice(part.length), '')
        .trimEnd(),
    );
}
