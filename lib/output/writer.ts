/** Lines on their way to a terminal or a file, with the spinner out of their way. */
import { columns, padded, shortened } from './text.ts';

export interface Lines {
  readonly write: (text: string) => void;
  /** Writes with an empty line above and below, easy to find. */
  readonly writeBlock: (text: string) => void;
  readonly close: () => void;
}

/** Writes to `stream`. `underWay` gives the spinner's text; without it there is no spinner. */
export function startLines(stream: NodeJS.WriteStream, underWay?: () => string): Lines {
  const spinner = stream.isTTY && underWay ? startSpinner(stream, underWay) : undefined;
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

// Output is made for 60 columns and more: a line within them does not wrap when the window shrinks.
const NARROWEST = 60;

// The terminal itself writes ^C behind the line.
const ROOM_FOR_CTRL_C = 2;

interface Spinner {
  /** Takes the line away; it comes back with the next tick. */
  readonly erase: () => void;
  /** Takes the line away for good. */
  readonly stop: () => void;
}

/**
 * Shows what `line` gives, as long as that is not empty, by blanks and carriage returns alone. The libraries for this
 * hide the cursor, which a kill or Ctrl-Z leaves hidden, and end the process on Ctrl-C before it could say how things are.
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
    const whole = shortened(`  ${FRAMES[turns++ % FRAMES.length]} ${text}`, room);
    stream.write(`\r${padded(whole, shown)}`);
    shown = Math.max(shown, columns(whole));
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
