/** The steps of a run, as lines. */
import { STEPS } from '../model/contract.ts';
import { lookUp } from '../util/collections.ts';
import type { Step } from './entry.ts';
import type { Layout } from './styles.ts';

const WIDTH = Math.max(...Object.values(STEPS).map(({ length }) => length));

/** The title of a step, padded to a common width. */
export const stepTitle = (name: string): string => (lookUp<string>(STEPS, name) ?? name).padEnd(WIDTH);

/** The line of a finished step, with its duration. */
export const stepLine = ({ name, milliseconds, ok }: Step, { styles, clean }: Layout): string =>
  `  ${ok ? styles.good('✓') : styles.bad('✗')} ${clean(stepTitle(name))} ${styles.dim(duration(milliseconds).padStart(8))}`;

/** The clock of a proxy counts in steps of 10 ms. */
const duration = (milliseconds: number): string => (milliseconds === 0 ? '<10 ms' : `${milliseconds} ms`);
