/** Writes lines to a terminal or a file, and keeps the spinner separate from them. */
import { columns, padded, shortened } from './text.ts';

export interface Lines {
  readonly write: (text: string) => void;
  /** Writes with an empty line above and below. */
  readonly writeBlock: (text: string) => void;
  readonly close: () => void;
}

/** Writes to `stream`. `progressText` returns the text of the spinner; without it there is no spinner. */
export function startLines(stream: NodeJS.WriteStream, progressText?: () => string): Lines {
  const spinner = stream.isTTY && progressText ? startSpinner(stream, progressText) : undefined;
  let isFirst = true;
  let wasBlock = false;
  const put = (text: string, isBlock: boolean) => {
    spinner?.erase();
    const gap = !isFirst && (isBlock || wasBlock) ? '\n' : '';
    stream.write(`${gap}${text}\n`);
    [isFirst, wasBlock] = [false, isBlock];
  };
  return {
    write: (text) => put(text, false),
    writeBlock: (text) => put(text, true),
    close: () => spinner?.stop(),
  };
}

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

const TICK_MS = 100;

// Output supports 60 columns and more: a line within them does not wrap when the window shrinks.
const NARROWEST = 60;

// The terminal itself appends ^C to the line.
const ROOM_FOR_CTRL_C = 2;

interface Spinner {
  /** Removes the line until the next tick. */
  readonly erase: () => void;
  /** Removes the line permanently. */
  readonly stop: () => void;
}

/**
 * Shows the text of `line` while it is not empty, using only spaces and carriage returns. Not the spinner of zx or a
 * library: those hide the cursor, which stays hidden after a kill or Ctrl-Z, or exit on Ctrl-C before the outcome is printed.
 */
export function startSpinner(stream: NodeJS.WriteStream, line: () => string): Spinner {
  let shown = 0;
  let turns = 0;
  const erase = () => {
    if (shown > 0) stream.write(`\r${' '.repeat(shown + ROOM_FOR_CTRL_C)}\r`);
    shown = 0;
  };
  const draw = (text: string) => {
    const room = Math.min(stream.columns || NARROWEST, NARROWEST) - ROOM_FOR_CTRL_C - 1;
    const frame = shortened(`  ${FRAMES[turns++ % FRAMES.length]} ${text}`, room);
    stream.write(`\r${padded(frame, shown)}`);
    shown = Math.max(shown, columns(frame));
  };
  const tick = () => {
    const text = line();
    if (text === '') erase();
    else draw(text);
  };
  const timer = setInterval(tick, TICK_MS).unref();
  const stop = () => {
    clearInterval(timer);
    erase();
  };
  return { erase, stop };
}
