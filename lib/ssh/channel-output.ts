/** The output of a command: collected, limited in size, and passed on in complete lines. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { LIMITS } from './timeouts.ts';

export interface Output {
  stdout: string;
  stderr: string;
}

/** The streams of a command. */
interface Source {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Stops the command. */
  readonly close: () => void;
}

interface Watcher {
  readonly onLine: (line: string) => void;
  /** Called when the output exceeds the limit. */
  readonly giveUp: (why: string) => void;
  /** Called with an error thrown by `onLine`. */
  readonly reject: (reason: unknown) => void;
}

/** Reads both streams to their end: an unread one would keep the channel open. */
export function collect(source: Source, output: Output, { onLine, giveUp, reject }: Watcher): void {
  const lines = lineSplitter(onLine);
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  const take = (name: 'stdout' | 'stderr', data: Buffer): string => {
    const text = decoders[name].write(data);
    if (output.stdout.length + output.stderr.length + text.length > LIMITS.output) {
      giveUp(`it printed more than ${LIMITS.output / 1024 / 1024} MB`);
      source.close();
      return '';
    }
    output[name] += text;
    return text;
  };
  source.stderr.on('data', (data: Buffer) => void take('stderr', data));
  source.stdout.on('data', (data: Buffer) => {
    try {
      lines(take('stdout', data));
    } catch (error) {
      reject(error);
    }
  });
}

/** Longer lines are dropped: no record is that long, and a truncated one could be misread. */
const LONGEST_LINE = 65_536;

/** Passes on complete lines only: a truncated line could be misread. */
export function lineSplitter(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  let isTooLong = false;
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (isTooLong && lines.length > 0) {
      lines.shift();
      isTooLong = false;
    }
    for (const line of lines) if (line.length <= LONGEST_LINE) onLine(line);
    if (rest.length <= LONGEST_LINE && !isTooLong) return;
    isTooLong = true;
    rest = '';
  };
}
