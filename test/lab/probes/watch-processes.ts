/** Watches every process of the lab for forbidden words. */
import { readdirSync, readFileSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Where one of `words` is visible now, except in the environments of processes whose arguments match `allowed`. */
function sightings(words: readonly string[], allowed: RegExp): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
  return pids.flatMap((pid) => {
    const [args, env] = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)];
    const seen = (text: string) => words.some((word) => text.includes(word));
    return [
      ...(seen(args) ? [`arguments: ${args}`] : []),
      // Read before and after: during an exec, arguments and environment may be of different programs.
      ...(seen(env) && !allowed.test(args) && args !== '' && args === read(`/proc/${pid}/cmdline`)
        ? [`environment of ${args}`]
        : []),
    ];
  });
}

/** Starts watching; `stop` returns the sightings. */
export function watchProcesses(
  words: readonly string[],
  allowed: RegExp,
): { stop(): string[]; samples(): number } {
  const seen = new Set<string>();
  let samples = 0;
  const timer = setInterval(() => {
    samples += 1;
    for (const where of sightings(words, allowed)) seen.add(where);
  }, 10);
  const stop = () => {
    clearInterval(timer);
    return [...seen];
  };
  return { stop, samples: () => samples };
}
