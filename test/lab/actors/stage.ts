/** The stage of the demo: commands as an operator types them, requests as clients send them, each with its expected result. */
import chalk from 'chalk';
import { retry } from 'zx';
import { beside, widthOf } from '../../../lib/output/text.ts';
import { $ } from '../../../lib/util/shell.ts';
import type { Lab } from '../namespaces/lab.ts';
import { ROOT } from './project.ts';

const SITE = 'https://ia.enso.4nkweb.com';

export interface Stage {
  /** Shows a command, runs it on this terminal, insists on its exit status; with `keep` gives what it printed on stdout. */
  type(
    line: string,
    options?: { status?: number; env?: Record<string, string>; cwd?: string; keep?: boolean },
  ): Promise<string>;
  /** Asks with curl, says what came back, insists on the status. */
  ask(what: string, status: number, path: string, ...options: readonly string[]): Promise<void>;
  /** Asks what must be refused with 401, says the gate's own words, insists on `says`; again for some seconds if needed. */
  refused(what: string, says: string, path: string, ...options: readonly string[]): Promise<void>;
  /** A shell in the lab, until it is left. */
  shell(): Promise<void>;
}

export const say = (text: string): void =>
  console.log(`\n${chalk.bold.cyan(beside('== ', text, widthOf(process.stdout)))}`);
export const bearer = (token: string): readonly string[] => ['-H', `Authorization: Bearer ${token}`];

/** A stage in `lab`; colours as this process has them. */
export function setStage(lab: Lab): Stage {
  const env = {
    ...lab.env,
    // As for `local` in namespaces/process.ts.
    SHLVL: '1',
    CURL_CA_BUNDLE: lab.env.NODE_EXTRA_CA_CERTS ?? '',
    ...(chalk.level > 0 ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
  };
  return {
    type: async (line, { status = 0, env: more = {}, cwd = ROOT, keep = false } = {}) => {
      console.log(chalk.dim(`\n$ ${line}`));
      const command = line.replace(/^npx tsx /, 'node --import tsx ');
      const stdio = ['inherit', keep ? 'pipe' : 'inherit', 'inherit'] as const;
      const run = $({ env: { ...env, ...more }, cwd, stdio: [...stdio], nothrow: true });
      const running = run`eval ${command}`;
      if (keep) running.stdout.pipe(process.stdout);
      const { exitCode, stdout } = await running;
      if (exitCode !== status) throw new Error(`${line}: exit status ${exitCode} instead of ${status}`);
      return stdout;
    },
    ask: async (what, status, path, ...options) => {
      const { stdout } = await $({ env })`curl -sS -o /dev/null -w %{http_code} ${options} ${SITE}${path}`;
      console.log(`  ${what.padEnd(52)} ${stdout}`);
      if (stdout !== String(status)) throw new Error(`${what}: ${stdout} instead of ${status}`);
    },
    refused: async (what, says, path, ...options) =>
      void (await retry(20, '300ms', async () => {
        const { stdout } = await $({ env })`curl -sS -w %{http_code} ${options} ${SITE}${path}`;
        const [, message = '', status = ''] = /"message":"([^"]*)".*?(\d{3})$/s.exec(stdout) ?? [];
        if (status !== '401' || !message.includes(says)) throw new Error(`${what}: ${stdout}`);
        console.log(`  ${what.padEnd(52)} ${status}\n    ${message}`);
      })),
    shell: async () => {
      await $({ env, cwd: ROOT, stdio: 'inherit', nothrow: true })`bash --norc -i`;
    },
  };
}
