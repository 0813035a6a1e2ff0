/** Samples of long case lists: each case takes seconds. */
const SEED = Number(process.env.FC_SEED ?? Date.now() % 1e9);

/** One in `step` cases, different ones each run (FC_SEED repeats a run); with DAMAGES=all, all of them. */
export const sampled = <T>(all: readonly T[], step: number): readonly T[] =>
  process.env.DAMAGES === 'all' ? all : all.filter((_, i) => (i + SEED) % step === 0);
