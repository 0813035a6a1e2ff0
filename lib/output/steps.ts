/** Titles of the steps of a run. */
import { lookUp } from '../util/collections.ts';
import type { Step } from './entry.ts';
import type { Layout } from './styles.ts';

const STEPS: Readonly<Record<string, string>> = {
  connect: 'connect',
  survey: 'inspect nginx and managed files',
  write: 'stage new files, back up current ones',
  test: 'test configuration (nginx -t)',
  reload: 'reload nginx, wait for old workers to exit',
  record: 'record the release',
  restore: 'roll back',
  look: 'inspect nginx and the certificate',
  challenge: 'write a challenge file',
  fetch: 'pre-check the challenge over HTTP',
  order: 'request the certificate (certbot)',
  sign: 'generate a self-signed certificate',
  serve: 'reload nginx, check the new certificate',
  checks: 'check this proxy',
  backends: 'check the backends',
  ask: 'query the outcome',
};

const WIDTH = Math.max(...Object.values(STEPS).map((title) => title.length));

/** The title of a step, padded to a common width. */
export const stepTitle = (name: string): string => (lookUp(STEPS, name) ?? name).padEnd(WIDTH);

/** The line of a finished step, with its duration. */
export const stepLine = ({ name, milliseconds, ok }: Step, { styles, clean }: Layout): string =>
  `  ${ok ? styles.good('✓') : styles.bad('✗')} ${clean(stepTitle(name))} ${styles.dim(`${milliseconds} ms`.padStart(8))}`;
