/** Of several hosts, twenty lines of steps would bury what matters: they wait until a host fails. */
import type { Entry, Step } from './entry.ts';

/** Passes entries on; keeps steps of several hosts, and gives them with the failure of theirs. */
export function keepSteps(): (entry: Entry) => Entry | undefined {
  const kept = new Map<string, readonly Step[]>();
  let areSeveral = false;
  return (entry) => {
    if (entry.kind === 'hosts') areSeveral = entry.hosts.length > 1;
    if (entry.kind === 'failure') return { ...entry, steps: kept.get(entry.host) ?? [] };
    if (entry.kind !== 'step' || !areSeveral) return entry;
    kept.set(entry.host, [...(kept.get(entry.host) ?? []), entry]);
    return undefined;
  };
}
