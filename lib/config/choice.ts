/** The env file, the site, and the directory of third-party sites of a run, determined before its settings are read. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inHome } from '../util/home.ts';
import { ROOT } from '../util/project.ts';
import { readEnvFile } from './env-file.ts';
import type { CommandLine } from './flag-table.ts';

export interface Choice {
  readonly envFile: string;
  readonly site: string;
  /** The source of the site's name, for messages and commands in them: `--site`, `GATEPOST_SITE`. */
  readonly siteFrom: string;
  /** Whether the site comes from the process environment, which another shell may lack. */
  readonly isFromEnvironment: boolean;
  /** The directory of third-party sites, as an absolute path. */
  readonly ownSites?: string;
}

const ENV_FILE = '.env';

/** The choice made by the command line and the settings GATEPOST_SITE and GATEPOST_SITES. */
export async function choose(
  { flags, given }: Pick<CommandLine, 'flags' | 'given'>,
  environment: NodeJS.ProcessEnv,
): Promise<Choice> {
  const isFileGiven = given.has('env');
  const envFile = isFileGiven ? flags.env : findEnvFile();
  const { values } = await readEnvFile(envFile);
  const site = environment.GATEPOST_SITE || values.GATEPOST_SITE;
  const isSiteGiven = given.has('site') || !site;
  const folder = isFileGiven ? '.' : dirname(envFile);
  const ownSites = environment.GATEPOST_SITES || within(folder, values.GATEPOST_SITES);
  return {
    envFile,
    site: isSiteGiven ? flags.site : site,
    siteFrom: isSiteGiven ? '--site' : 'GATEPOST_SITE',
    isFromEnvironment: !isSiteGiven && Boolean(environment.GATEPOST_SITE),
    ...(ownSites && { ownSites: resolve(inHome(ownSites)) }),
  };
}

/** `.env` in the working directory, else the one in gatepost's: a cron job starts elsewhere. */
function findEnvFile(): string {
  const inGatepost = fileURLToPath(new URL(ENV_FILE, ROOT));
  return existsSync(ENV_FILE) || !existsSync(inGatepost) ? ENV_FILE : inGatepost;
}

/** A path from a setting; a relative one is resolved from `folder`. */
export function within(folder: string, path: string | undefined): string | undefined {
  return path ? resolve(folder, inHome(path)) : undefined;
}
