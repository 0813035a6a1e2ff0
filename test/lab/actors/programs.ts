/** The scripts' programs, run directly on a proxy, and killed midway. */
import { readFile } from 'node:fs/promises';
import type { Settings } from '../../../lib/config/settings.ts';
import { findSites } from '../../../lib/config/site-registry.ts';
import { type HostReport, newReport } from '../../../lib/model/host-report.ts';
import type { Program } from '../../../lib/model/run.ts';
import type { Site } from '../../../lib/model/site.ts';
import { clientFile, render, type SiteFile } from '../../../lib/nginx/render.ts';
import { outcomeProgram, siteProgram } from '../../../lib/program/program.ts';
import { readRecords } from '../../../lib/remote/protocol.ts';
import { Secret } from '../../../lib/util/secret.ts';
import type { Host } from '../namespaces/host.ts';
import { CHECKOUT } from '../namespaces/process.ts';
import { SITE } from './deploys.ts';

export const site = (await findSites()).get(SITE) as Site;

const settings = { values: {} } as unknown as Settings;

/** The context that programs of the site are rendered from. */
export const context = { site, settings };

export type { Program };

export interface ProgramResult extends HostReport {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The program's final verdict record, without `end`. */
  readonly verdict: string | undefined;
}

export interface DeployOptions {
  readonly backend?: string;
  readonly token?: string;
  /** Edits a file's text before it is sent, like a different template. */
  readonly edit?: (file: SiteFile) => string;
  readonly who?: string;
  /** The year on the operator's clock. */
  readonly year?: number;
  readonly verb?: 'apply' | 'plan';
}

/** The time in every client's file that these programs write, so that equal states have equal files. */
const TIME = '-11-22T17:40:35Z';
export const NOW = `2026${TIME}`;

/** The program as sent at that time. */
export const atFixedTime = ({ id, text }: Program): Program => ({
  id,
  text: text.replace(/^NOW=.*$/m, `NOW='${NOW}'`),
});

/** The program as sent by `who` at a fixed time; with `year`, from an operator whose clock is years off. */
function sentBy({ id, text }: Program, who: string, year?: number): Program {
  const from = text.replace(/^WHO=.*$/m, `WHO='${who}'`);
  if (year === undefined) return atFixedTime({ id, text: from });
  const late = id.replace(/^\d{4}/, `${year}`);
  const then = from.replace(/^NOW=.*$/m, `NOW='${year}${TIME}'`);
  return { id: late, text: then.replace(`RUN='${id}'`, `RUN='${late}'`) };
}

/** The program that deploy.ts would send. */
export async function deployProgram(options: DeployOptions = {}): Promise<Program> {
  const { backend = '192.168.1.164', token, edit = ({ content }) => content, verb = 'apply' } = options;
  const files = await render(site, { values: { IA_ENSO_BACKEND_IP: backend } } as unknown as Settings);
  if (token) files.push(clientFile('client', new Secret(token)));
  const editedFiles = files.map((file) => ({ ...file, content: edit(file) }));
  return sentBy(await siteProgram(verb, site, editedFiles), options.who ?? 'tester@lab', options.year);
}

/** The outcome query that a script sends after losing its connection. */
export const outcomeQuery = ({ id }: Program): Promise<Program> => outcomeProgram(site, id);

/** Runs a program on a host as root, started as sshd and sudo would. */
export async function execute(host: Host, { id, text }: Program, shell = '/bin/sh'): Promise<ProgramResult> {
  const { status, stdout, stderr } = await host.sh(`exec ${shell} -s`, { input: text });
  const report = newReport(host.name);
  const reader = readRecords(id, report);
  for (const line of stdout.split('\n')) reader.line(line);
  return { ...report, status, stdout, stderr, verdict: reader.verdict() };
}

export const apply = async (host: Host, options?: DeployOptions): Promise<ProgramResult> =>
  execute(host, await deployProgram(options));

/** Applies an edit to the vhost only. */
export const inVhost =
  (edit: (text: string) => string) =>
  ({ role, content }: SiteFile): string =>
    role === 'vhost' ? edit(content) : content;

/** The commands with which the program changes something or waits. */
const COMMANDS = 'install mkdir rmdir rm mv ln cp chmod chown sync nginx wc sleep';

/** Wraps every command that changes something in a counting shim. */
export async function installShims(host: Host): Promise<void> {
  const shim = await readFile(`${CHECKOUT}/test/lab/faults/shim.sh`, 'utf8');
  await host.sh(
    `cat >/usr/local/sbin/.shim && chmod 755 /usr/local/sbin/.shim && mkdir -p /run/shim
    for name in ${COMMANDS}; do ln -f /usr/local/sbin/.shim /usr/local/sbin/$name; done`,
    { input: shim },
  );
}

/** Makes private mount namespaces unavailable on a host, as in an unprivileged container. */
export const forbidNamespaces = (host: Host) =>
  host.sh('printf "#!/bin/sh\\nexit 1\\n" >/usr/local/sbin/unshare && chmod 755 /usr/local/sbin/unshare');

export const allowNamespaces = (host: Host) => host.sh('rm -f /usr/local/sbin/unshare');

/** Runs a program under a fault plan (one line each: `CALL before|after SIGNAL`); returns the calls it made. */
export async function runWithPlan(
  host: Host,
  program: Program,
  plan: string,
): Promise<{ result: ProgramResult; calls: readonly string[] }> {
  // Deleting old runs first: the program deletes all but the newest twenty, which would add a call.
  const dropOldRuns = 'cd /var/lib/gatepost/runs 2>/dev/null && ls | head -n -5 | xargs -r rm';
  await host.sh(`${dropOldRuns}; : >/run/shim/calls; echo 0 >/run/shim/count; cat >/run/shim/plan`, {
    input: `${plan}\n`,
  });
  const result = await execute(host, program);
  const { stdout } = await host.sh('/bin/rm -f /run/shim/plan; cat /run/shim/calls');
  return { result, calls: stdout.split('\n').filter(Boolean) };
}
