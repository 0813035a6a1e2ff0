/** What a run is about, known before its settings: the env file, the site, the directory with sites of one's own. */
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
  /** What names the site, for messages and for commands in them: `--site`, `GATEPOST_SITE`. */
  readonly siteFrom: string;
  /** Does the site come from the process environment, which another shell may lack? */
  readonly isFromEnvironment: boolean;
  /** An absolute path. */
  readonly ownSites?: string;
}

const ENV_FILE = '.env';

/** What the command line and the settings GATEPOST_SITE and GATEPOST_SITES say. */
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

/** `.env` here, else the one beside gatepost: a cron job starts elsewhere. */
function findEnvFile(): string {
  const beside = fileURLToPath(new URL(ENV_FILE, ROOT));
  return existsSync(ENV_FILE) || !existsSync(beside) ? ENV_FILE : beside;
}

/** A path from a setting; a relative one starts at `folder`. */
export function within(folder: string, path: string | undefined): string | undefined {
  return path ? resolve(folder, inHome(path)) : undefined;
}
