/** Lines on their way to a terminal or a file, with the spinner out of their way. */
import { startSpinner } from './spinner.ts';

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
