/** Watches every process of the lab for forbidden words. */
import { readdirSync, readFileSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Where one of `words` is to be seen now, apart from the environments of processes whose arguments say that they may. */
function sightings(words: readonly string[], may: RegExp): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
  return pids.flatMap((pid) => {
    const [args, env] = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)];
    const seen = (text: string) => words.some((word) => text.includes(word));
    return [
      ...(seen(args) ? [`arguments: ${args}`] : []),
      // While a process becomes another program, the two are of different ones.
      ...(seen(env) && !may.test(args) && args !== '' && args === read(`/proc/${pid}/cmdline`)
        ? [`environment of ${args}`]
        : []),
    ];
  });
}

/** Starts to look; `stop` tells what was seen. */
export function watchProcesses(
  words: readonly string[],
  may: RegExp,
): { stop(): string[]; samples(): number } {
  const seen = new Set<string>();
  let samples = 0;
  const timer = setInterval(() => {
    samples += 1;
    for (const where of sightings(words, may)) seen.add(where);
  }, 10);
  const stop = () => {
    clearInterval(timer);
    return [...seen];
  };
  return { stop, samples: () => samples };
}
