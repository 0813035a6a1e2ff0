/** Several programs on one host, one after another: over one connection where it lasts, with one account of all. */
import type { HostReport } from '../model/host-report.ts';
import type { Remote } from './transact.ts';

/** The same place, which connects again for the next program after a connection dropped. */
export function lasting(remote: Remote): Remote {
  let current = remote;
  let isLost = false;
  const run: Remote['run'] = async (text, onLine) => {
    if (isLost) current = await current.again();
    const outcome = await current.run(text, onLine);
    isLost = outcome.lost !== undefined;
    return outcome;
  };
  const close = () => {
    if (current !== remote) current.close();
  };
  return { host: remote.host, run, again: () => remote.again(), close };
}

/** What both did, as one account; what failed last has failed. */
export function joined(before: HostReport, then: HostReport): HostReport {
  // Only what carries files made a release.
  const { release, ...rest } = then;
  const made = then.files.length > 0 && release ? release : before.release;
  return {
    ...before,
    ...rest,
    ...(made && { release: made }),
    outcome: isFine(then) && before.outcome === 'applied' ? 'applied' : then.outcome,
    files: joinedFiles(before, then),
    drift: [...before.drift, ...then.drift],
    notes: [...before.notes, ...then.notes],
    rows: { ...before.rows, ...then.rows },
    facts: { ...before.facts, ...then.facts },
    texts: new Map([...before.texts, ...then.texts]),
    milliseconds: added(before.milliseconds, then.milliseconds),
  };
}

const isFine = ({ outcome }: HostReport): boolean => outcome === 'unchanged' || outcome === 'planned';

function joinedFiles(before: HostReport, then: HostReport): HostReport['files'] {
  const changed = new Map<string, boolean>();
  for (const file of [...before.files, ...then.files])
    changed.set(file.path, changed.get(file.path) === true || file.changed);
  return [...changed].map(([path, isChanged]) => ({ path, changed: isChanged }));
}

function added(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sum = { ...a };
  for (const [phase, time] of Object.entries(b)) sum[phase] = (sum[phase] ?? 0) + time;
  return sum;
}
