/** SSH access to the proxies of a site, as set by the operator. */
import { stat } from 'node:fs/promises';
import type { Site } from '../model/site.ts';
import { refuseAll } from '../util/errors.ts';
import { SSH, type TransportSetting } from './schema.ts';

/** SSH access to the proxies; undefined fields are not set, and may come from the SSH configuration. */
export interface SshAccess {
  readonly hosts: readonly string[];
  readonly user?: string;
  readonly port?: number;
  readonly key?: string;
  readonly defaults: {
    readonly user: string;
    readonly port: number;
    /** The value of an environment variable. */
    readonly variable: (name: string) => string | undefined;
  };
  /** Undefined for a direct connection. */
  readonly jump?: {
    readonly host: string;
    readonly user?: string;
    readonly port?: number;
  };
  /** Whether the jump host was set, or set to none. If not, a ProxyJump in the SSH configuration takes precedence. */
  readonly isJumpExplicit: boolean;
  readonly knownHosts?: string;
  readonly transport: TransportSetting;
  /** The configured file paths, by setting. */
  readonly files: Readonly<Record<string, string>>;
}

/** The access of `site`, from the values `read` and the texts that were `given` explicitly. */
export function sshAccessOf(
  site: Site,
  read: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, string | undefined>>,
): SshAccess {
  const set = <T>(name: string): T | undefined => (given[name] === undefined ? undefined : (read[name] as T));
  const own = <T>(name: string): T | undefined => set<T>(`${site.prefix}_${name}`);
  return {
    hosts: (read[`${site.prefix}_PROXY_HOST`] as readonly string[] | undefined) ?? ['localhost'],
    ...optional({
      user: own<string>('PROXY_USER'),
      port: own<number>('PROXY_PORT'),
      key: own<string>('SSH_KEY'),
    }),
    defaults: {
      user: String(read[`${site.prefix}_PROXY_USER`] ?? ''),
      port: SSH.port,
      variable: (name) => given[name],
    },
    isJumpExplicit: given.DEPLOY_SSH_PROXY_HOST !== undefined,
    ...(Boolean(read.DEPLOY_SSH_PROXY_HOST) && {
      jump: {
        host: String(read.DEPLOY_SSH_PROXY_HOST),
        ...optional({
          user: set<string>('DEPLOY_SSH_PROXY_USER'),
          port: set<number>('DEPLOY_SSH_PROXY_PORT'),
        }),
      },
    }),
    ...optional({ knownHosts: set<string>('SSH_KNOWN_HOSTS') }),
    transport: read.SSH_TRANSPORT as TransportSetting,
    files: optional({
      [`${site.prefix}_SSH_KEY`]: own<string>('SSH_KEY'),
      SSH_KNOWN_HOSTS: set<string>('SSH_KNOWN_HOSTS'),
    }) as Record<string, string>,
  };
}

/**
 * Checks that the files named in the settings exist.
 * @throws UsageError with every file that does not
 */
export async function judgeFiles({ files }: Pick<SshAccess, 'files'>): Promise<void> {
  const judged = await Promise.all(
    Object.entries(files).map(async ([name, path]) => {
      const why = await whyNoFile(path);
      return why && `${name}: is ${JSON.stringify(path)}; ${why}`;
    }),
  );
  refuseAll(judged);
}

async function whyNoFile(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts) return 'the file does not exist';
  if (facts.isFile()) return undefined;
  return facts.isDirectory() ? 'it is a directory, not a file' : 'it is not a file';
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function optional<T extends Record<string, unknown>>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
