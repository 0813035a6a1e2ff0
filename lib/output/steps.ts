/** Titles of the steps of a run. */
import type { Step as StepName } from '../model/contract.ts';
import { lookUp } from '../util/collections.ts';
import type { Step } from './entry.ts';
import type { Layout } from './styles.ts';

const TITLES: Readonly<Record<StepName, string>> = {
  connect: 'connect',
  wait: 'wait for another run',
  survey: 'inspect nginx and managed files',
  certificate: 'inspect the certificate and its renewal',
  test: 'test configuration (nginx -t)',
  write: 'stage new files, back up current ones',
  reload: 'reload nginx, wait for old workers to exit',
  record: 'record the release',
  restore: 'roll back',
  challenge: 'write a challenge file',
  link: 'link the certificate',
  fetch: 'pre-check the challenge over HTTP',
  order: 'request the certificate (certbot)',
  sign: 'generate a self-signed certificate',
  serve: 'reload nginx, check the new certificate',
  checks: 'check this proxy',
  backends: 'check the backends',
  log: 'read the access log',
  ask: 'query the outcome',
};

const WIDTH = Math.max(...Object.values(TITLES).map(({ length }) => length));

/** The title of a step, padded to a common width. */
export const stepTitle = (name: string): string => (lookUp<string>(TITLES, name) ?? name).padEnd(WIDTH);

/** The line of a finished step, with its duration. */
export const stepLine = ({ name, milliseconds, ok }: Step, { styles, clean }: Layout): string =>
  `  ${ok ? styles.good('✓') : styles.bad('✗')} ${clean(stepTitle(name))} ${styles.dim(duration(milliseconds).padStart(8))}`;

/** The clock of a proxy counts in steps of 10 ms. */
const duration = (milliseconds: number): string => (milliseconds === 0 ? '<10 ms' : `${milliseconds} ms`);
