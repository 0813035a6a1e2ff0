/** The steps of a run as people read them. */
import type { Step as StepName } from '../model/contract.ts';
import { lookUp } from '../util/collections.ts';
import type { Step } from './entry.ts';
import type { Layout } from './styles.ts';

const TITLES: Readonly<Record<StepName, string>> = {
  connect: 'connect',
  wait: 'wait for another run',
  survey: 'inspect nginx and managed files',
  test: 'test configuration (nginx -t)',
  write: 'stage new files, back up current ones',
  reload: 'reload nginx, wait for old workers to exit',
  record: 'record the release',
  restore: 'roll back',
  challenge: 'place a challenge file',
  fetch: 'fetch it as the CA would',
  order: 'order a certificate (certbot)',
  sign: 'sign a certificate',
  serve: 'reload nginx with the new certificate',
  checks: 'check the services',
  backends: 'probe the backends',
  ask: 'find out the outcome of the run',
};

const WIDTH = Math.max(...Object.values(TITLES).map(({ length }) => length));

/** The title of a step, or what else is under way, as wide as the others. */
export const stepName = (name: string): string => (lookUp<string>(TITLES, name) ?? name).padEnd(WIDTH);

/** A step that has ended, with its time. */
export const stepLine = ({ name, milliseconds, ok }: Step, { styles, clean }: Layout): string =>
  `  ${ok ? styles.good('✓') : styles.bad('✗')} ${clean(stepName(name))} ${styles.dim(duration(milliseconds).padStart(8))}`;

/** A proxy's clock counts in steps of 10 ms. */
const duration = (milliseconds: number): string => (milliseconds === 0 ? '<10 ms' : `${milliseconds} ms`);
