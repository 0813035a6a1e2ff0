/**
 * The demo's stage: commands as an operator types them, requests as clients send them, each with its expected result.
 */
import chalk from 'chalk';
import { retry } from 'zx';
import { widthOf, withLead } from '../../../lib/output/text.ts';
import { $ } from '../../../lib/util/shell.ts';
import type { Lab } from '../namespaces/lab.ts';
import { PRIVATELY } from '../namespaces/operator.ts';
import { ROOT } from './project.ts';

const SITE = 'https://ia.enso.4nkweb.com';

export interface Stage {
  /** Prints and runs a command on this terminal; throws on any other exit status. With `keep`, returns its stdout. */
  type(
    line: string,
    options?: { status?: number; env?: Record<string, string>; cwd?: string; keep?: boolean },
  ): Promise<string>;
  /** Sends a request with curl and prints the HTTP status; throws on any other. */
  request(what: string, status: number, path: string, ...options: readonly string[]): Promise<void>;
  /**
   * Sends a request that must get 401, and prints the gate's message; retries for some seconds until it has `expected`.
   */
  expectRefusal(what: string, expected: string, path: string, ...options: readonly string[]): Promise<void>;
  /** Opens a shell in the lab and waits for its end. */
  shell(): Promise<void>;
}

export const printHeading = (text: string): void =>
  console.log(`\n${chalk.bold.cyan(withLead('== ', text, widthOf(process.stdout)))}`);
export const bearer = (token: string): readonly string[] => ['-H', `Authorization: Bearer ${token}`];

/** A stage in `lab`, with this process's color support. */
export function setStage(lab: Lab): Stage {
  const env = {
    ...lab.env,
    // See `local` in namespaces/process.ts.
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
    request: async (what, status, path, ...options) => {
      const { stdout } = await $({ env })`curl -sS -o /dev/null -w %{http_code} ${options} ${SITE}${path}`;
      console.log(`  ${what.padEnd(52)} ${stdout}`);
      if (stdout !== String(status)) throw new Error(`${what}: ${stdout} instead of ${status}`);
    },
    expectRefusal: async (what, expected, path, ...options) =>
      void (await retry(20, '300ms', async () => {
        const { stdout } = await $({ env })`curl -sS -w %{http_code} ${options} ${SITE}${path}`;
        const [, message = '', status = ''] = /"message":"([^"]*)".*?(\d{3})$/s.exec(stdout) ?? [];
        if (status !== '401' || !message.includes(expected)) throw new Error(`${what}: ${stdout}`);
        console.log(`  ${what.padEnd(52)} ${status}\n    ${message}`);
      })),
    shell: async () => {
      const terminal = { ...env, TERM: process.env.TERM ?? 'dumb' };
      await $({
        env: terminal,
        cwd: ROOT,
        stdio: 'inherit',
        nothrow: true,
      })`unshare --mount sh -c ${PRIVATELY} sh bash --norc -i`;
    },
  };
}
