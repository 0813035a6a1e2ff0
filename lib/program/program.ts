/** Files and a verb -> the text of one remote program, POSIX sh. */

import { readFile } from 'node:fs/promises';
import type { Run } from '../model/run.ts';
import { certificateFilesOf, isNameless, type Site } from '../model/site.ts';
import type { SiteFile } from '../nginx/render.ts';
import { ROOT } from '../util/project-root.ts';
import { quote } from '../util/shell.ts';

/** Where root may have put what runs approved programs only (lib/commands/approved-programs.ts). */
export const RUNNER = '/usr/local/sbin/gatepost-run';

/**
 * What runs a program that comes on stdin, whatever the login shell: as it is when that is root already, else by `sudo -n`
 * (approved programs only, where root chose that), whose words are explained and therefore English. Constant: an argument
 * list is readable by every user, and sudo logs it.
 */
export const COMMAND = `exec /bin/sh -c 'export LC_ALL=C; [ "$(id -u)" -ne 0 ] || exec /bin/sh -s; [ -x ${RUNNER} ] && exec sudo -n ${RUNNER}; exec sudo -n /bin/sh -s'`;

const ALWAYS = ['report', 'lock', 'journal', 'nginx', 'ports'];
const CHANGE = [...ALWAYS, 'files', 'release', 'rehearse', 'change', 'clients', 'plan', 'gate', 'begin'];
const ORDER = [...ALWAYS, 'lineage', 'certificate', 'adoption'];
const APPLY = [...CHANGE, 'apply'];
const CLIENTS = [...CHANGE, 'client-verbs'];

/** The verbs, each with the parts of lib/program/sh/ that it needs, in order. */
const PARTS = {
  apply: APPLY,
  plan: APPLY,
  http_only: APPLY,
  bundle: [...APPLY, 'bundle'],
  outcome: [...ALWAYS, 'outcome'],
  rotate: CLIENTS,
  revoke_previous: CLIENTS,
  add_client: CLIENTS,
  revoke_client: CLIENTS,
  rollback: [...CHANGE, 'rollback'],
  remove: [...CHANGE, 'remove'],
  status: [...CHANGE, 'lineage', 'certificate', 'status'],
  look: [...ALWAYS, 'lineage', 'certificate', 'look'],
  challenge: [...ALWAYS, 'lineage', 'certificate', 'challenge'],
  end_challenge: [...ALWAYS, 'lineage', 'certificate', 'challenge'],
  issue: [...ORDER, 'issue'],
  self_signed: [...ORDER, 'self-signed'],
} as const;

/** Puts the files of `site` on the host (`bundle`: run from a file), or (`plan`) tells what that would change. */
export function siteProgram(
  verb: 'apply' | 'plan' | 'bundle' | 'http_only',
  run: Run,
  site: Site,
  files: readonly SiteFile[],
): Promise<string> {
  return program(verb, run, site, [
    ...files.map(({ content }, i) => contentFunction(i, content)),
    `site_files() {\n${files.map((file, i) => `  ${wanted(file, i)}\n`).join('')}}`,
  ]);
}

/** Asks what became of the run `asked`, whose connection dropped. */
export function outcomeProgram(run: Run, site: Site, asked: string): Promise<string> {
  return program('outcome', run, site, [`ASKED=${quote(asked)}`]);
}

/**
 * One compound command: a shell runs nothing of it before it has read the closing brace, so a program that was cut
 * anywhere does nothing (dash, bash, busybox).
 */
export async function program(
  verb: keyof typeof PARTS,
  run: Run,
  site: Site,
  data: readonly string[],
): Promise<string> {
  const parts = await Promise.all(
    PARTS[verb].map((part) => readFile(new URL(`lib/program/sh/${part}.sh`, ROOT), 'utf8')),
  );
  return ['{', PRELUDE, ...constants(verb, run, site), ...parts, ...data, verb, 'exit', '}', ''].join('\n');
}

// A connection that drops sends HUP, and PIPE at the next line that nobody reads: neither may end the program.
const PRELUDE = `trap '' HUP PIPE
set -u
umask 077
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH`;

function constants(verb: string, run: Run, site: Site): string[] {
  const { chain, key } = certificateFilesOf(site);
  const values = {
    VERB: verb,
    RUN: run.id,
    NOW: run.now,
    WHO: run.who,
    SITE: site.name,
    SERVER_NAMES: isNameless(site) ? '' : site.serverName,
    CLIENTS: site.gate?.clients ?? '',
    CHAIN: chain,
    KEY: key,
  };
  return Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
}

/** A function that prints a file. The shell itself does, since an argument of a command would be seen in the process list. */
export function contentFunction(index: number, content: string): string {
  return `content_${index}() { printf %s ${quote(content)}; }`;
}

function wanted({ role, name, mode }: SiteFile, index: number): string {
  const verb = role === 'first-client' ? 'want_first' : `want ${role}`;
  return `${verb} ${quote(name)} ${mode} content_${index}`;
}
