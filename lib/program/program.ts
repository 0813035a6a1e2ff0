/** Files and a verb -> the text of one remote program, POSIX sh. */
import { readFile } from 'node:fs/promises';
import type { Settings } from '../config/settings.ts';
import { FINGERPRINT_DIGITS } from '../model/bearer.ts';
import { challengePrefix, LETSENCRYPT, WEBROOT } from '../model/certbot.ts';
import { newRun, type Program, type Run } from '../model/run.ts';
import { certificateFilesOf, isNameless, type Site, titleOf, vhostFile } from '../model/site.ts';
import * as lines from '../nginx/client-map.ts';
import { definedVariables, renderGate, type SiteFile } from '../nginx/render.ts';
import { ROOT, readVersion } from '../util/project.ts';
import { quote } from '../util/shell.ts';

/** Where root may have installed the script that runs only approved programs (approved-runner.ts). */
export const RUNNER = '/usr/local/sbin/gatepost-run';

/**
 * The command that runs a program from stdin, in any login shell: directly as root, otherwise by `sudo -n` (only approved
 * programs, if root chose that), with English errors for the failure tables. It is constant, because every user can read an
 * argument list, and sudo logs it.
 */
export const COMMAND = `exec /bin/sh -c 'export LC_ALL=C; [ "$(id -u)" -ne 0 ] || exec /bin/sh -s; [ -x ${RUNNER} ] && exec sudo -n ${RUNNER}; exec sudo -n /bin/sh -s'`;

const CORE = ['report', 'lock', 'journal', 'locate', 'digest', 'nginx', 'reload', 'ports'];
const CLIENT_STATE = ['client-lines', 'clients', 'gate'];
const SITE_STATE = [...CORE, 'layout', 'listen', 'selinux', 'files', 'release', ...CLIENT_STATE];
const CLIENTS = ['client-file', 'live', 'convert'];
const ANY_CHANGE = [...SITE_STATE, ...CLIENTS, 'shown', 'rehearse', 'change', 'begin'];
const CHANGE = ['records', ...ANY_CHANGE];
const APPLY = [...CHANGE, 'apply'];
const CLIENT = [...CHANGE, 'client-verbs'];
const CERTIFICATE = ['lineage', 'certbot', 'certificate'];
const ORDER = ['records', ...CORE, ...CERTIFICATE, 'adoption'];
const CHALLENGE = ['records', 'report', 'challenge'];

/** The verbs, each with the parts of lib/program/sh/ that it needs, in order. */
export const VERBS = {
  apply: APPLY,
  plan: APPLY,
  http_only: APPLY,
  bundle: [...ANY_CHANGE, 'apply', 'bundle'],
  outcome: ['records', ...CORE, 'outcome'],
  rotate: CLIENT,
  revoke_previous: CLIENT,
  add_client: CLIENT,
  set_client: CLIENT,
  suspend_client: CLIENT,
  resume_client: CLIENT,
  revoke_client: CLIENT,
  copy_client: [...CLIENT, 'copy-client'],
  export_clients: ['records', ...SITE_STATE, 'sudo', 'export'],
  rollback: [...CHANGE, 'rollback'],
  remove: [...CHANGE, 'remove'],
  status: ['records', ...SITE_STATE, ...CERTIFICATE, 'sudo', 'status'],
  usage: ['records', 'report', 'usage'],
  challenge: CHALLENGE,
  end_challenge: CHALLENGE,
  issue: [...ORDER, 'challenge', 'issue'],
  self_signed: [...ORDER, 'self-signed'],
  use_certificate: [...ORDER, 'use-certificate'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Verb = keyof typeof VERBS;

/**
 * Deploys the files of `site` to the host (`bundle`: run from a file), or (`plan`) shows what that would change.
 * @param others what else is wanted there, as sh
 */
export function siteProgram(
  verb: 'apply' | 'plan' | 'bundle' | 'http_only',
  site: Site,
  files: readonly SiteFile[],
  others: readonly string[] = [],
): Promise<Program> {
  return program(verb, site, { VARIABLES: definedVariables(files).join(' ') }, [
    ...files.map(({ content }, i) => contentFunction(i, content)),
    shellFunction('site_files', [...files.map(wanted), ...others]),
  ]);
}

/** Queries the outcome of the run `asked`, whose connection dropped. */
export const outcomeProgram = (site: Site, asked: string): Promise<Program> =>
  program('outcome', site, { ASKED: asked });

/**
 * The program of a new run. It is one compound command: a shell runs nothing of it before it has read the closing brace, so a truncated program does nothing
 * (dash, bash, busybox).
 * @param values variables of the verb
 * @param functions what the parts call and do not define, such as the content of files
 */
export async function program(
  verb: Verb,
  site: Site,
  values: Readonly<Record<string, string>> = {},
  functions: readonly string[] = [],
): Promise<Program> {
  const run = newRun();
  const texts = await Promise.all(
    VERBS[verb].map((part) => readFile(new URL(`lib/program/sh/${part}.sh`, ROOT), 'utf8')),
  );
  // People read a bundle; over a connection, the program is a quarter smaller without comments.
  const parts = verb === 'bundle' ? texts : texts.map((text) => text.replace(/^[ \t]*#.*\n/gm, ''));
  const prelude = await preludeText();
  const known = { ...constants(verb, run, site), GATEPOST: await readVersion(), ...values };
  const variables = assignments(known, parts.join(''));
  const text = ['{', prelude, ...variables, ...parts, ...functions, verb, 'exit', '}', ''].join('\n');
  return { id: run.id, text };
}

/** The program that ends a run which holds the lock and makes no progress (lock.sh), instead of being refused. */
export const takingOver = ({ id, text }: Program): Program => ({
  id,
  text: text.replace("\nTAKE_OVER=''\n", "\nTAKE_OVER='yes'\n"),
});

/** How a program begins (prelude.sh). */
export const preludeText = (): Promise<string> =>
  readFile(new URL('lib/program/sh/prelude.sh', ROOT), 'utf8');

/** The `values` that `text` uses. */
function assignments(values: Readonly<Record<string, string>>, text: string): readonly string[] {
  // Without `$` in arithmetic.
  const used = new Set(text.match(/\b[A-Z][A-Z_]*\b/g));
  return Object.entries(values).flatMap(([name, value]) => (used.has(name) ? `${name}=${quote(value)}` : []));
}

/** Constants for every part; verbs that do not need the last ones leave them empty. */
function constants(verb: Verb, run: Run, site: Site): Readonly<Record<string, string>> {
  const { chain, key } = certificateFilesOf(site);
  return {
    VERB: verb,
    RUN: run.id,
    NOW: run.now,
    NOW_EPOCH: String(Math.round(Date.parse(run.now) / 1000)),
    WHO: run.who,
    SITE: site.name,
    PUBLIC_NAME: titleOf(site),
    VHOST_NAME: vhostFile(site),
    SERVER_NAMES: isNameless(site) ? '' : site.serverName,
    CLIENTS: site.gate?.clients ?? '',
    CHAIN: chain,
    KEY: key,
    LETSENCRYPT,
    WEBROOT,
    CHALLENGE_PREFIX: challengePrefix(site.name),
    LIVE_FILES: site.gate?.live ?? '',
    LIVE_VARIABLE: `${site.gate?.logFormat ?? ''}_live`,
    DOLLAR: `${site.gate?.logFormat ?? ''}_dollar`,
    KEY_SIZE: String(lines.KEY_SIZE),
    LINE_SIZE: String(lines.LINE_SIZE),
    OLD_KEY_START: lines.OLD_KEY_START,
    HEADER_START: lines.HEADER_START,
    HEADER_END: lines.HEADER_END,
    CREATED_MARK: lines.CREATED_MARK,
    ROTATED_MARK: lines.ROTATED_MARK,
    FINGERPRINT_DIGITS: String(FINGERPRINT_DIGITS),
    DRY: '',
    TAKE_OVER: '',
    VARIABLES: '',
    CLIENT: '',
    ABOUT: '',
  };
}

/** A function that prints a file, by a shell built-in, because the arguments of a command are visible in the process list. */
export function contentFunction(index: number, content: string): string {
  return `content_${index}() { printf %s ${quote(content)}; }`;
}

/** A function with these commands. */
export const shellFunction = (name: string, commands: readonly string[]): string =>
  [`${name}() {`, ...(commands.length > 0 ? commands : [':']).map((command) => `  ${command}`), '}'].join(
    '\n',
  );

/** The current gate, for a host whose gate is of an earlier release; its contents are numbered from 1. */
export async function gateFunctions({ site, settings }: Configured): Promise<readonly string[]> {
  const maps = await renderGate(site, settings);
  return [
    ...maps.map(({ content }, i) => contentFunction(i + 1, content)),
    shellFunction(
      'gate_files',
      maps.map((map, i) => wanted(map, i + 1)),
    ),
  ];
}

/** A site with the settings of this run. */
export interface Configured {
  readonly site: Site;
  readonly settings: Settings;
}

/** A flag as a variable of the shell. */
export const yes = (flag: boolean): string => (flag ? 'yes' : '');

function wanted({ role, name, mode }: SiteFile, index: number): string {
  const verb = role === 'first-client' ? 'want_first' : `want ${role}`;
  return `${verb} ${quote(name)} ${mode} content_${index}`;
}
