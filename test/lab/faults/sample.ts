/** Samples of long lists of cases, since each one takes seconds. */
const SEED = Number(process.env.FC_SEED ?? Date.now() % 1e9);

/** One of every `step` cases, others in every run (FC_SEED repeats one); with DAMAGES=all, all of them. */
export const sampled = <T>(all: readonly T[], step: number): readonly T[] =>
  process.env.DAMAGES === 'all' ? all : all.filter((_, i) => (i + SEED) % step === 0);
