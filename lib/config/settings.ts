/** Environment and env file -> typed settings, with all problems reported together. The only reader of the process environment. */

import { dirname } from 'node:path';
import { judgeTokenForm } from '../model/bearer.ts';
import { NO_BACKEND, type Setting, type Site } from '../model/site.ts';
import { lookUp } from '../util/collections.ts';
import { refuseAll } from '../util/errors.ts';
import { Secret } from '../util/secret.ts';
import { type Choice, choose, within } from './choice.ts';
import { type EnvFile, readEnvFile } from './env-file.ts';
import type { CommandLine } from './flag-table.ts';
import { COMMON, judgeNames, settingsOf } from './schema.ts';
import { type SshAccess, sshAccessOf } from './ssh-access.ts';
import { path } from './validators.ts';

export interface Settings {
  readonly access: SshAccess;
  readonly acme: { readonly directoryUrl: string; readonly email?: string };
  /** A program that runs after each change. */
  readonly hook?: string;
  /** The site's settings with their values or defaults, as text; secrets stay wrapped. */
  readonly values: Readonly<Record<string, string | Secret>>;
  /** Names set in the process environment, which takes precedence over the env file. */
  readonly inEnvironment: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/** The site and the env file of this run, from the command line and the environment. */
export const chooseRun = (line: Pick<CommandLine, 'flags' | 'given'>): Promise<Choice> =>
  choose(line, process.env);

/** Where settings come from, in addition to the environment. */
interface ReadOptions {
  readonly envFile: string;
  /** Whether the file was given with --env. */
  readonly isEnvFileWanted?: boolean;
  /** The proxies; overrides the setting. */
  readonly host?: string | undefined;
  /** Whether this run needs no proxy (`--local`, `--bundle`). */
  readonly isHostless?: boolean;
  /** Whether this run replaces the token in the env file. */
  readonly replacesToken?: boolean;
}

/** Terminal capabilities from the environment. */
export interface Terminal {
  /** https://no-color.org */
  readonly noColor: boolean;
  /** FORCE_COLOR is set; chalk interprets its value. */
  readonly forcesColor: boolean;
  /** Whether the terminal supports only plain lines. */
  readonly isDumb: boolean;
}

/** The terminal of this process. */
export const terminal: Terminal = {
  noColor: Boolean(process.env.NO_COLOR),
  forcesColor: process.env.FORCE_COLOR !== undefined,
  isDumb: process.env.TERM === 'dumb',
};

/** Whether this process runs in a CI service, which stores its output. */
export const isInCi: boolean = !['', 'false'].includes((process.env.CI ?? '').toLowerCase());

/**
 * Reads the settings of `site`.
 * @param sites all sites, whose settings are known names in the environment
 * @throws UsageError with all problems
 */
export async function readSettings(
  site: Site,
  sites: Iterable<Site>,
  options: ReadOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Settings> {
  const file = await readEnvFile(options.envFile);
  const names = judgeNames(file.values, environment, site, sites);
  const problems = [...file.problems, ...names.problems];
  const all = { ...COMMON, ...settingsOf(site) };
  const given = {
    ...inFolder(options, withoutReplaced(site, options, file.values), all),
    ...environment,
    ...(options.host !== undefined && { [hostNameOf(site)]: options.host }),
  };
  const known = withSeed(site, all, given);
  const read = readAll(known, given, problems);
  problems.push(...missing(site, known, given, options), ...withoutName(site, read, given));
  refuseAll(problems);
  return {
    access: sshAccessOf(site, read, given),
    acme: {
      directoryUrl: String(read.ACME_DIRECTORY_URL),
      ...(read.ACME_EMAIL ? { email: String(read.ACME_EMAIL) } : {}),
    },
    ...(read.GATEPOST_HOOK !== undefined && { hook: String(read.GATEPOST_HOOK) }),
    values: Object.fromEntries(
      Object.keys(site.settings).flatMap((name) => (name in read ? [[name, asText(read[name])]] : [])),
    ),
    inEnvironment: new Set(Object.keys(environment)),
    warnings: [...names.warnings, ...warnings(options, file, known)],
  };
}

const hostNameOf = ({ prefix }: Site): string => `${prefix}_PROXY_HOST`;
const userNameOf = ({ prefix }: Site): string => `${prefix}_PROXY_USER`;

type Texts = Readonly<Record<string, string | undefined>>;
type Known = Readonly<Record<string, Setting>>;

/** Adds the defaults that apply only to the default name, if that is the name. */
function withSeed({ nameFrom = '', seed = {}, serverName }: Site, known: Known, given: Texts): Known {
  const name = given[nameFrom];
  if (name !== undefined && known[nameFrom]?.form.read(name) !== serverName) return known;
  const seeded = Object.entries(seed).flatMap(([key, value]) => {
    const setting = lookUp(known, key);
    return setting ? [[key, { ...setting, default: value }]] : [];
  });
  return { ...known, ...Object.fromEntries(seeded) };
}

/** A problem for each required setting that is not set. */
function missing(site: Site, known: Known, given: Texts, { isHostless = false }: ReadOptions): string[] {
  const unneeded = isHostless ? [hostNameOf(site), userNameOf(site)] : [];
  return Object.entries(known).flatMap(([name, { required, form, default: value, meaning }]) =>
    required &&
    given[name] === undefined &&
    value === undefined &&
    !unneeded.includes(name) &&
    !isReplaced(site, name, given)
      ? [`${name}: must be set for ${titleIn(site, given)} (${meaning}): ${form.wants}`]
      : [],
  );
}

/** Whether other settings replace all backends at the address in the setting `name`. */
function isReplaced({ backends = {} }: Site, name: string, given: Texts): boolean {
  const replacing = Object.entries(backends).filter(([, { text }]) => text.startsWith(`__${name}__:`));
  return replacing.length > 0 && replacing.every(([setting]) => given[setting] !== undefined);
}

const titleIn = ({ nameFrom, name }: Site, given: Texts): string => (nameFrom && given[nameFrom]) || name;

/**
 * Refuses machines other than those behind the default name while that is the name: the checks would send the token to
 * the default name, which belongs to somebody else.
 */
function withoutName(
  { nameFrom, seed, serverName, backends = {}, ...site }: Site,
  read: Readonly<Record<string, unknown>>,
  given: Texts,
): string[] {
  if (!nameFrom || !seed || given[nameFrom] !== undefined) return [];
  const { [userNameOf({ ...site, serverName })]: _, ...machines } = seed;
  const others = Object.keys(machines).filter(
    (name) => given[name] !== undefined && name in read && asText(read[name]) !== machines[name],
  );
  others.push(
    ...Object.keys(backends).filter((name) => given[name] !== undefined && given[name] !== NO_BACKEND),
  );
  if (others.length === 0) return [];
  const list = others.map((name) => `${name}=${given[name]}`).join(', ');
  return [
    `${nameFrom}: must be set, to the public name of these machines (${list}); its default, ${serverName}, belongs to others`,
  ];
}

/**
 * Resolves relative paths in a discovered env file from its folder, so that they do not depend on the working
 * directory.
 */
function inFolder({ envFile, isEnvFileWanted = false }: ReadOptions, values: Texts, known: Known): Texts {
  if (isEnvFileWanted) return values;
  const isPath = (name: string) => lookUp(known, name)?.form === path;
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => [
      name,
      isPath(name) ? (within(dirname(envFile), text) ?? text) : text,
    ]),
  );
}

/** Accepts a guessable token that is about to be replaced: otherwise it could not be. */
function withoutReplaced(
  { gate }: Site,
  { replacesToken = false }: ReadOptions,
  values: EnvFile['values'],
): EnvFile['values'] {
  const { [gate?.token ?? '']: token, ...others } = values;
  return replacesToken && token !== undefined && judgeTokenForm(token) === undefined ? others : values;
}

const asText = (value: unknown): string | Secret => (value instanceof Secret ? value : String(value));

function warnings(
  { envFile: name, isEnvFileWanted = false }: ReadOptions,
  file: EnvFile,
  known: Readonly<Record<string, Setting>>,
): string[] {
  const holdsSecret = Object.keys(file.values).some((key) => lookUp(known, key)?.form.secret);
  return [
    isEnvFileWanted && !file.exists
      ? `--env ${name}: the file does not exist, so no settings were read from it`
      : '',
    file.isOpen && holdsSecret
      ? `${name} contains a token and is readable by others: \`chmod 600 ${name}\``
      : '',
  ].filter(Boolean);
}

/** The secret in this setting, if it is set. */
export function secretOf({ values }: Pick<Settings, 'values'>, name = ''): Secret | undefined {
  const value = values[name];
  return value instanceof Secret ? value : undefined;
}

/** Removes the secrets from the environment, so that child processes (ssh, openssl, a shell) do not inherit them. */
export function keepFromChildren(sites: Iterable<Site>, environment: NodeJS.ProcessEnv = process.env): void {
  for (const site of sites)
    for (const [name, { form }] of Object.entries(settingsOf(site)))
      if (form.secret) delete environment[name];
}

/** The value of every setting that is set or has a default; errors are added to `problems`. */
export function readAll(
  known: Readonly<Record<string, Setting>>,
  given: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(known)) {
    const text = given[name] ?? setting.default;
    if (text === undefined) continue;
    const value = setting.form.read(text);
    if (value === undefined) problems.push(problem(name, setting, text));
    else read[name] = value;
  }
  return read;
}

function problem(name: string, { form, meaning }: Setting, text: string): string {
  if (/^<.*>$/.test(text))
    return `${name}: still has the placeholder of .env.example; set it to ${form.wants} (${meaning})`;
  const wants = form.problem?.(text) ?? form.wants;
  const shown = form.secret ? '' : ` is ${JSON.stringify(text.slice(0, 80))};`;
  return `${name}:${shown} it must be ${wants} (${meaning})`;
}
