/** Programs as the scripts send them, run on a proxy directly, and killed on the way. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Settings } from '../../../lib/config/settings.ts';
import { findSites } from '../../../lib/config/site-registry.ts';
import { type HostReport, newReport } from '../../../lib/model/host-report.ts';
import type { Run } from '../../../lib/model/run.ts';
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

/** What programs of the site are made of. */
export const context = { site, settings };

export interface Program {
  readonly run: Run;
  readonly text: string;
}

export interface Ran extends HostReport {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The program's last word, with `end` after it. */
  readonly verdict: string | undefined;
}

export interface Wanted {
  readonly backend?: string;
  readonly token?: string;
  /** Changes the text of a file before it is sent, as another template would. */
  readonly edit?: (file: SiteFile) => string;
  readonly who?: string;
  /** The year by the operator's clock. */
  readonly year?: number;
  readonly verb?: 'apply' | 'plan';
}

let count = 0;
export function newRun(who = 'tester@lab', year = 2026): Run {
  const number = `${count++}`.padStart(6, '0');
  const id = `${year}1122T${number}Z-${randomBytes(3).toString('hex')}`;
  return { id, now: `${year}-11-22T17:40:35Z`, who };
}

/** What deploy.ts would send. */
export async function deployProgram(wanted: Wanted = {}): Promise<Program> {
  const { backend = '192.168.1.164', token, edit = ({ content }) => content, verb = 'apply' } = wanted;
  const run = newRun(wanted.who, wanted.year);
  const files = await render(site, { values: { IA_ENSO_BACKEND_IP: backend } } as unknown as Settings);
  if (token) files.push(clientFile('client', new Secret(token)));
  const edited = files.map((file) => ({ ...file, content: edit(file) }));
  return { run, text: await siteProgram(verb, run, site, edited) };
}

/** What a script sends that lost its connection. */
export async function question(asked: Run): Promise<Program> {
  const run = newRun();
  return { run, text: await outcomeProgram(run, site, asked.id) };
}

/** Runs a program on a host, as root, as sshd and sudo would start it. */
export async function execute(host: Host, { run, text }: Program, shell = '/bin/sh'): Promise<Ran> {
  const { status, stdout, stderr } = await host.sh(`exec ${shell} -s`, { input: text });
  const report = newReport(host.name);
  const reader = readRecords(run.id, report);
  for (const line of stdout.split('\n')) reader.line(line);
  return { ...report, status, stdout, stderr, verdict: reader.verdict() };
}

export const apply = async (host: Host, wanted?: Wanted): Promise<Ran> =>
  execute(host, await deployProgram(wanted));

/** Edits the vhost, and only that. */
export const inVhost =
  (edit: (text: string) => string) =>
  ({ role, content }: SiteFile): string =>
    role === 'vhost' ? edit(content) : content;

/** The commands by which the program changes something, or waits. */
const COMMANDS = 'install mkdir rmdir rm mv ln cp chmod chown sync nginx wc sleep';

/** Puts a counting shim before every command that changes something. */
export async function installShims(host: Host): Promise<void> {
  const shim = await readFile(`${CHECKOUT}/test/lab/faults/shim.sh`, 'utf8');
  await host.sh(
    `cat >/usr/local/sbin/.shim && chmod 755 /usr/local/sbin/.shim && mkdir -p /run/shim
    for name in ${COMMANDS}; do ln -f /usr/local/sbin/.shim /usr/local/sbin/$name; done`,
    { input: shim },
  );
}

/** Takes from a host the private mount namespaces that a configuration is tested in, as a container without the right to. */
export const forbidNamespaces = (host: Host) =>
  host.sh('printf "#!/bin/sh\\nexit 1\\n" >/usr/local/sbin/unshare && chmod 755 /usr/local/sbin/unshare');

export const allowNamespaces = (host: Host) => host.sh('rm -f /usr/local/sbin/unshare');

/** Runs a program under a plan (`CALL before|after SIGNAL`, a line each); tells the calls it came to. */
export async function underPlan(
  host: Host,
  program: Program,
  plan: string,
): Promise<{ ran: Ran; calls: readonly string[] }> {
  // Old runs go first, for the program drops those past the twentieth, which would be a call more.
  const few = 'cd /var/lib/gatepost/runs 2>/dev/null && ls | head -n -5 | xargs -r rm';
  await host.sh(`${few}; : >/run/shim/calls; echo 0 >/run/shim/count; cat >/run/shim/plan`, {
    input: `${plan}\n`,
  });
  const ran = await execute(host, program);
  const { stdout } = await host.sh('/bin/rm -f /run/shim/plan; cat /run/shim/calls');
  return { ran, calls: stdout.split('\n').filter(Boolean) };
}
