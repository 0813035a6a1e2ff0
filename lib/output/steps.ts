/** The steps of a run as people read them. */
import { lookUp } from '../util/collections.ts';
import type { Step } from './entry.ts';
import type { Layout } from './styles.ts';

const STEPS: Readonly<Record<string, string>> = {
  connect: 'connect',
  survey: 'look at nginx and the files',
  write: 'write beside, keep what was',
  test: 'nginx tests it (nginx -t)',
  reload: 'reload, old workers gone',
  record: 'record the release',
  restore: 'put back what was there',
  look: 'look at nginx and certificate',
  challenge: 'place a challenge file',
  fetch: 'fetch it as the CA would',
  order: 'certbot asks the CA',
  sign: 'the proxy signs a certificate',
  serve: 'reload, new certificate served',
  checks: 'its own services answer',
  backends: 'ask the backends',
  ask: 'ask what became of it',
};

/** Its name in words, as wide as the others'. */
export const stepName = (name: string): string => (lookUp(STEPS, name) ?? name).padEnd(30);

/** A step that has ended, with its time. */
export const stepLine = ({ name, milliseconds, ok }: Step, { styles, clean }: Layout): string =>
  `  ${ok ? styles.good('✓') : styles.bad('✗')} ${clean(stepName(name))} ${styles.dim(`${milliseconds} ms`.padStart(8))}`;
