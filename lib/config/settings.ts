/** Environment and env file -> typed settings, with all problems reported together. The only reader of the process environment. */

import { judgeTokenForm } from '../model/bearer.ts';
import type { Setting, Site } from '../model/site.ts';
import { lookUp } from '../util/collections.ts';
import { refuseAll } from '../util/errors.ts';
import { Secret } from '../util/secret.ts';
import { type EnvFile, readEnvFile } from './env-file.ts';
import { COMMON, judgeNames, settingsOf } from './schema.ts';
import { type SshAccess, sshAccessOf } from './ssh-access.ts';
import { hosts } from './validators.ts';

export interface Settings {
  readonly access: SshAccess;
  readonly acme: { readonly directoryUrl: string; readonly email?: string };
  /** The settings of the site that are set or have a default, as text; secrets stay wrapped. */
  readonly values: Readonly<Record<string, string | Secret>>;
  /** Names set in the process environment, which takes precedence over the env file. */
  readonly inEnvironment: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/** Where settings come from, in addition to the environment. */
interface ReadOptions {
  readonly envFile: string;
  /** Was the file given with --env? */
  readonly isEnvFileWanted?: boolean;
  /** The proxies; overrides the setting. */
  readonly host?: string | undefined;
  /** Does this run replace the token in the env file? */
  readonly replacesToken?: boolean;
}

/** Terminal capabilities from the environment. */
export interface Terminal {
  /** https://no-color.org */
  readonly noColor: boolean;
  /** FORCE_COLOR is set; chalk interprets its value. */
  readonly forcesColor: boolean;
  /** It supports only plain lines. */
  readonly isDumb: boolean;
}

/** The terminal of this process. */
export const terminal: Terminal = {
  noColor: Boolean(process.env.NO_COLOR),
  forcesColor: process.env.FORCE_COLOR !== undefined,
  isDumb: process.env.TERM === 'dumb',
};

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
  const names = await judgeNames(file.values, environment, site, sites);
  const problems = [...file.problems, ...names.problems];
  const known = { ...COMMON, ...settingsOf(site) };
  const given = {
    ...withoutReplaced(site, options, file.values),
    ...environment,
    ...hostGiven(site, options),
  };
  const read = readAll(known, given, problems);
  const hostName = hostNameOf(site);
  if (given[hostName] === undefined && !(hostName in read))
    problems.push(`${hostName}: must be set for ${site.name}: ${hosts.wants}`);
  refuseAll(problems);
  return {
    access: sshAccessOf(site, read, given),
    acme: acmeOf(read),
    values: Object.fromEntries(
      Object.keys(site.settings).flatMap((name) => (name in read ? [[name, asText(read[name])]] : [])),
    ),
    inEnvironment: new Set(Object.keys(environment)),
    warnings: [...names.warnings, ...warnings(options, file, known)],
  };
}

const hostNameOf = ({ prefix }: Site): string => `${prefix}_PROXY_HOST`;

function hostGiven(site: Site, { host }: ReadOptions): Record<string, string | undefined> {
  return host === undefined ? {} : { [hostNameOf(site)]: host };
}

/** A token that is about to be replaced may be guessable: it must be possible to replace such a token. */
function withoutReplaced(
  { gate }: Site,
  { replacesToken = false }: ReadOptions,
  values: EnvFile['values'],
): EnvFile['values'] {
  const { [gate?.token ?? '']: token, ...others } = values;
  return replacesToken && token !== undefined && judgeTokenForm(token) === undefined ? others : values;
}

function acmeOf({ ACME_DIRECTORY_URL: url, ACME_EMAIL: email }: Record<string, unknown>): Settings['acme'] {
  return { directoryUrl: String(url), ...(email ? { email: String(email) } : {}) };
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
  const wants = form.problem?.(text) ?? form.wants;
  const shown = form.secret ? '' : ` is ${JSON.stringify(text.slice(0, 80))};`;
  return `${name}:${shown} it must be ${wants} (${meaning})`;
}
