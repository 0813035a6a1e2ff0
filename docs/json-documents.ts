/**
 * The JSON document of each script (`--json`), for docs/json.md and for the end-to-end tests, which check every
 * document against it. The types in lib/ must have the same fields.
 */
import type { ClientDifference } from '../lib/commands/views/client-differences.ts';
import type { CertificateLife, CheckResult, StreamTiming } from '../lib/model/check.ts';
import { FACTS, STEPS } from '../lib/model/contract.ts';
import { type Fault, type HostReport, OUTCOMES } from '../lib/model/host-report.ts';
import type { Renewal } from '../lib/model/renewal.ts';
import type { BackendStatus } from '../lib/remote/backend-rows.ts';
import { CLIENT_STATES, type ListedClient } from '../lib/remote/client-rows.ts';
import type { CertificateStatus, Release, Status } from '../lib/remote/status.ts';
import type { ClientUsage, LoggedRequest, Quantiles, Usage } from '../lib/remote/usage-rows.ts';

/** The type of a value: a primitive, one of several words, a list, a map, or an object with fields. */
export type Type =
  | 'string'
  | 'number'
  | 'boolean'
  | { readonly oneOf: readonly string[] }
  | { readonly orNull: 'string' }
  | { readonly list: Type }
  | { readonly map: Type; readonly keys?: readonly string[] }
  | { readonly name: string; readonly fields: Fields }
  | { readonly any: readonly Type[] };

export interface Field {
  readonly type: Type;
  readonly meaning: string;
  /** The condition for its presence; always present without it. */
  readonly when?: string;
}

export type Fields = Readonly<Record<string, Field>>;
/** One field per member of a type. */
type Of<T> = Readonly<Record<keyof T, Field>>;

const field = (type: Type, meaning: string, when?: string): Field => ({
  type,
  meaning,
  ...(when && { when }),
});
const object = <T>(name: string, fields: Of<T>): Type => ({ name, fields: fields as Fields });

const STREAM = object<StreamTiming>('stream timing', {
  kind: field({ oneOf: ['stream'] }, 'what was measured'),
  pieces: field(
    {
      list: object('piece', {
        at: field('number', 'milliseconds since the request'),
        events: field('number', 'chunks'),
      }),
    },
    'when the chunks of a streamed answer arrived',
  ),
  total: field('number', 'milliseconds until the last one'),
});

const LIFE = object<CertificateLife>('certificate life', {
  kind: field({ oneOf: ['certificate'] }, 'what was measured'),
  notBefore: field('string', 'begin of its validity'),
  notAfter: field('string', 'end of its validity'),
  daysLeft: field('number', 'days left'),
  warnDays: field('number', 'days left below which the check warns'),
  failDays: field('number', 'days left below which it fails'),
});

const CHECK = object<CheckResult>('check', {
  name: field('string', 'name of the check'),
  status: field({ oneOf: ['passed', 'warned', 'failed', 'skipped'] }, 'how it ended'),
  ok: field('boolean', 'false only for `failed`'),
  detail: field('string', 'what was found; of a failure also cause and fix'),
  milliseconds: field('number', 'how long it took'),
  curl: field('string', 'the same request by hand', 'where there is one'),
  measured: field({ any: [STREAM, LIFE] }, 'what was measured', 'for streams and certificates'),
});

const FAILURE = object('failure', {
  code: field('string', 'kind of the failure, stable'),
  text: field('string', 'the error, in the words of the program that failed'),
  means: field('string', 'its cause', 'where it is known'),
  next: field('string', 'its fix', 'where it is known'),
  advice: field('string', 'the same as `next`', 'where the program itself knew it'),
});

const FAULT = object<Fault>('fault', {
  about: field('string', 'its subject, in a word or two'),
  text: field('string', 'what is wrong, with cause and fix'),
});

const FILE = object('file', {
  path: field('string', 'path on the proxy'),
  changed: field('boolean', 'did the run change it, or (dry run) would it?'),
});

/** The fields of a report that --json omits. */
type Hidden = 'before' | 'texts' | 'rows' | 'generated' | 'certificate' | 'meaning';

const HOST: Of<Omit<HostReport, Hidden>> = {
  host: field('string', 'the proxy; for `verify` without `--via-ssh`, the public name'),
  outcome: field(
    { oneOf: OUTCOMES },
    'what became of the change; `unchanged` also where a script only reads',
  ),
  release: field({ orNull: 'string' }, 'the release after the run; null where there is none'),
  files: field({ list: FILE }, 'the files of the change'),
  checks: field({ list: CHECK }, 'the checks of this proxy'),
  milliseconds: field({ map: 'number', keys: Object.keys(STEPS) }, 'duration of each step'),
  drift: field(
    {
      list: object('drift', {
        path: field('string', 'path on the proxy'),
        how: field('string', '`changed` or `removed`'),
      }),
    },
    'what was edited by hand since the last release',
  ),
  notes: field({ list: 'string' }, 'what the operator should know'),
  facts: field(
    { map: 'string', keys: FACTS },
    'what the program found on the proxy; may change between versions',
  ),
  failure: field(FAILURE, 'why the run failed', 'where it failed'),
  todo: field({ list: 'string' }, 'commands for a manual recovery', 'with exit status 5'),
  attention: field({ list: FAULT }, 'what needs attention although the run succeeded', 'where it was judged'),
  diff: field(
    {
      list: object('diff', {
        path: field('string', 'path on the proxy'),
        diff: field('string', 'unified diff, without tokens'),
      }),
    },
    'how the files would change',
    'with `--dry-run`',
  ),
};

const CLIENT = object<ListedClient>('client', {
  name: field('string', 'name'),
  scope: field('string', '`full` or `inference`; `?` where its file cannot be read'),
  state: field({ oneOf: CLIENT_STATES }, 'is its token accepted?'),
  limit: field('number', 'requests a minute', 'with a limit'),
  concurrent: field('number', 'requests at the same time', 'with a limit'),
  expires: field('string', 'when its token ends', 'with an end'),
  created: field('string', 'when it was added; may be empty'),
  rotated: field('string', 'when it got its token; may be empty'),
  fingerprints: field(
    { list: 'string' },
    'first 12 digits of the SHA-256 of its tokens, the present one first',
  ),
  previousExpires: field(
    'string',
    'when its previous token ends',
    'after a rotation that keeps it for a while',
  ),
  isExact: field('boolean', 'its token begins like that of another client', 'where that is so'),
  lastUsed: field('string', 'its last request', 'where the log has one'),
});

const CERTIFICATE = object<CertificateStatus>('certificate', {
  path: field('string', 'path on the proxy'),
  ends: field('string', 'end of its validity; `missing` or `unreadable`'),
  begins: field('string', 'begin of its validity', 'where it can be read'),
  kind: field({ oneOf: ['ca', 'staging', 'self-signed'] }, 'who issued it', 'where it can be read'),
  daysLeft: field('number', 'days left', 'where it can be read'),
  names: field('string', 'the names in it, separated by `, `'),
});

const RENEWAL = object<Renewal>('renewal', {
  schedule: field({ oneOf: ['timer', 'cron', 'off'] }, 'what starts renewals'),
  hook: field('boolean', 'is nginx reloaded after a renewal?'),
  by: field({ oneOf: ['certbot', 'acme.sh', 'lego'] }, 'what renews it', 'where something does'),
  lineage: field('string', 'the lineage of certbot that it belongs to', 'where that is another one'),
  authenticator: field('string', "certbot's authenticator", 'where certbot renews it'),
  webroot: field('string', "certbot's webroot", 'where it has one'),
});

const RELEASE = object<Release>('release', {
  id: field('string', 'its id, for `rollback.ts --to`'),
  kind: field('string', 'what made it, such as `deploy` or `add client`'),
  when: field('string', 'when'),
  who: field('string', 'who, and on which machine'),
  about: field('string', 'of which client, or to which release; may be empty'),
  gatepost: field('string', 'the version of gatepost; may be empty'),
});

const BACKEND = object<BackendStatus>('backend', {
  address: field('string', 'IPv4 address'),
  port: field('number', 'port'),
  state: field('string', '`open`, `closed`, `unreachable`, `silent` or `untested`'),
  version: field('string', 'the version of Ollama; empty where it did not answer', 'for Ollama'),
  models: field(
    { list: object('model', { name: field('string', 'its name'), digest: field('string', 'its digest') }) },
    'its models',
    'for Ollama',
  ),
});

const STATUS: Of<Status> = {
  current: field('string', 'id of the current release', 'where there is one'),
  releases: field({ list: RELEASE }, 'the newest first'),
  state: field(
    {
      list: object('file state', {
        path: field('string', 'path'),
        state: field('string', '`ok`, `changed` or `removed`'),
      }),
    },
    'each file of the current release',
  ),
  nginx: field(
    object('nginx', {
      version: field('string', 'its version; `absent` where it is not installed'),
      healthy: field('boolean', 'does it accept its configuration?'),
      running: field('boolean', 'is it running?'),
    }),
    'nginx on the proxy',
  ),
  oldMaster: field('string', 'the old master process of an unfinished binary upgrade', 'where there is one'),
  messages: field({ list: 'string' }, 'what `nginx -t` printed'),
  vhost: field({ oneOf: ['tls', 'http-only'] }, 'the vhost that is there', 'where there is one'),
  serves: field('string', 'the names that it serves', 'where they are not those in the settings'),
  upgrade: field({ list: 'string' }, 'files that define `$connection_upgrade`'),
  certificate: field(CERTIFICATE, 'the certificate that the vhost names', 'where it names one'),
  renewal: field(RENEWAL, 'how it is renewed'),
  certbot: field('string', 'path of certbot', 'where it is installed'),
  clients: field({ list: CLIENT }, 'the clients of the gate', 'of a site with a gate'),
  backends: field({ list: BACKEND }, 'the backends, tried from the proxy'),
  leaks: field(
    { list: { list: 'string' } },
    'what gives tokens to others: `inputLog`, `etckeeper` or `openFiles`, and the file that shows it',
  ),
  defaultServer: field('string', 'ports', 'where this vhost answers for unknown names'),
  selinux: field('string', '`off`', 'where SELinux keeps nginx from the backends'),
  busy: field('string', 'who is running something', 'during a run'),
  stalled: field('string', 'for how long it has made no progress', 'where it is stuck'),
  unfinished: field('string', 'a run that was left unfinished', 'where there is one'),
};

const VERDICT = field(
  { oneOf: ['healthy', 'needs attention', 'not deployed', 'not checked'] },
  'the judgment of this proxy; with `not checked`, there is nothing else of its status',
);
/** The same, absent if a proxy could not be read. */
const ifRead = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, { when, ...rest }]) => [
      name,
      { ...rest, when: when ?? 'unless `verdict` is `not checked`' },
    ]),
  );

const QUANTILES = object<Quantiles>('quantiles', {
  p50: field('number', 'half of the requests were faster'),
  p95: field('number', '95 % were faster'),
});

const CLIENT_USAGE = object<ClientUsage>('client usage', {
  client: field('string', 'its name', 'unless the token was unknown or missing'),
  requests: field('number', 'requests'),
  refused: field('number', 'of these, 401, 403 and 429 by the gate'),
  errors: field('number', '5xx'),
  aborted: field('number', 'closed by the client'),
  bytes: field('number', 'bytes sent'),
  backendSeconds: field('number', 'time of the backend'),
  firstByte: field(QUANTILES, 'seconds to the first byte', 'where the log has it'),
  total: field(QUANTILES, 'seconds to the end', 'where the log has it'),
  firstUsed: field('string', 'first request'),
  lastUsed: field('string', 'last request'),
});

const USAGE = object<Usage>('usage', {
  log: field(
    object<Usage['log']>('log', {
      from: field('string', 'first request in it', 'where there is one'),
      to: field('string', 'last request in it', 'where there is one'),
      requests: field('number', 'requests to the gate'),
      unreadFiles: field('number', 'files that could not be read'),
    }),
    'what the log covers',
  ),
  clients: field({ list: CLIENT_USAGE }, 'the busiest first'),
  unused: field({ list: 'string' }, 'clients without a request'),
  refusedFrom: field(
    {
      list: object('address', {
        address: field('string', 'address'),
        requests: field('number', 'refused requests'),
        last: field('string', 'the last one'),
      }),
    },
    'addresses that were refused most often',
  ),
});

const REQUEST = object<LoggedRequest>('request', {
  at: field('string', 'when'),
  address: field('string', 'address of the client'),
  client: field('string', 'name of the client', 'where its token was known'),
  request: field('string', 'method and path'),
  status: field('number', 'HTTP status'),
  bytes: field('number', 'bytes sent'),
  seconds: field('number', 'duration'),
  firstByteSeconds: field('number', 'until the first byte', 'where the backend answered'),
  backend: field('string', 'address of the backend'),
  userAgent: field('string', 'user agent'),
});

const ERROR = object('error', {
  message: field('string', 'what is wrong'),
  advice: field('string', 'what to do'),
});

const DIFFERENCE = object<ClientDifference>('client difference', {
  client: field('string', 'name of the client'),
  on: field({ map: 'string' }, 'what it is on each proxy, or `missing`'),
});

/** The fields that a script adds to the common ones. */
interface Own {
  readonly top?: Fields;
  readonly host?: Fields;
}

const TOKEN: Fields = {
  token: field('string', 'a generated token: the only secret in any document', 'where one was generated'),
  tokenHidden: field('boolean', 'a generated token is not shown', 'where `CI` is set'),
};
const OF_CLIENT: Fields = {
  client: field('string', 'the client that was changed', 'where one was'),
  use: field('string', 'how the client is set up', 'with a new token'),
  ...TOKEN,
};

/** Each script's own fields. */
export const SCRIPTS: Readonly<Record<string, Own>> = {
  approve: { top: { bundle: field('string', 'path of the file', 'where it was written') } },
  bearers: {
    top: {
      ...OF_CLIENT,
      from: field('string', 'the proxy whose clients were copied', 'copy'),
      clients: field({ list: 'string' }, 'the clients that were copied', 'copy'),
    },
    host: {
      clients: field({ list: CLIENT }, 'the clients of the gate', 'list'),
      usage: field(USAGE, 'what the access log says', 'usage'),
      requests: field({ list: REQUEST }, 'the requests with this id', 'usage --request'),
    },
  },
  'bootstrap-tls': { top: TOKEN },
  deploy: {
    top: {
      bundle: field('string', 'path of the bundle', 'with `--bundle`'),
      render: field('string', 'path of the directory', 'with `--render`'),
      files: field({ list: FILE }, 'the files in it', 'with `--render`'),
      ...TOKEN,
    },
  },
  remove: {},
  rollback: {},
  'rotate-bearer': { top: OF_CLIENT },
  status: {
    top: { clientDifferences: field({ list: DIFFERENCE }, 'where clients differ', 'for several proxies') },
    host: { verdict: VERDICT, ...ifRead(STATUS as Fields) },
  },
  verify: { top: { html: field('string', 'path of the page', 'with `--html`') } },
};

/** The fields of each entry of `hosts`, in every script. */
export const HOST_FIELDS: Fields = HOST as Fields;

/** The fields of every document. */
export const TOP: Fields = {
  script: field({ oneOf: Object.keys(SCRIPTS) }, 'the script'),
  site: field('string', 'the site'),
  version: field('string', 'the version of gatepost'),
  exit: field('number', 'the exit status'),
  hosts: field({ list: { name: 'host', fields: {} } }, 'each proxy; empty where nothing was contacted'),
  checks: field(
    { list: CHECK },
    'the checks by the public name; with one proxy, the same as in `hosts[0]`',
    'unless nothing was contacted',
  ),
  error: field(ERROR, 'why the script ended early', 'where it did'),
};

/** The problems of a document: unknown fields, missing ones, wrong types; empty if it is as documented. */
export function judgeDocument(document: unknown): readonly string[] {
  const { script = '' } = (document ?? {}) as { script?: string };
  const { top = {}, host = {} } = SCRIPTS[script] ?? {};
  const hosts = field({ list: { name: 'host', fields: { ...HOST_FIELDS, ...host } } }, '');
  return judgeFields(document, { ...TOP, ...top, hosts }, script || 'document');
}

function judgeFields(value: unknown, fields: Fields, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: is no object`];
  const given = Object.entries(value);
  const missing = Object.entries(fields).flatMap(([name, { when }]) =>
    when === undefined && !Object.hasOwn(value, name) ? [`${path}.${name}: is missing`] : [],
  );
  return [
    ...missing,
    ...given.flatMap(([name, each]) => {
      const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return known ? judgeType(each, known.type, `${path}.${name}`) : [`${path}.${name}: is not documented`];
    }),
  ];
}

function judgeType(value: unknown, type: Type, path: string): readonly string[] {
  const wrong = (is: boolean) => (is ? [] : [`${path}: is ${JSON.stringify(value)?.slice(0, 80)}`]);
  if (typeof type === 'string') return wrong(typeof value === type);
  if ('any' in type) {
    const all = type.any.map((each) => judgeType(value, each, path));
    return all.find((problems) => problems.length === 0) ?? all.flat();
  }
  if ('oneOf' in type) return wrong(type.oneOf.includes(value as string));
  if ('orNull' in type) return wrong(value === null || typeof value === 'string');
  if ('fields' in type) return judgeFields(value, type.fields, path);
  if ('list' in type)
    return Array.isArray(value)
      ? value.flatMap((each, i) => judgeType(each, type.list, `${path}[${i}]`))
      : wrong(false);
  return judgeMap(value, type, path);
}

function judgeMap(
  value: unknown,
  { map, keys }: { map: Type; keys?: readonly string[] },
  path: string,
): readonly string[] {
  if (typeof value !== 'object' || value === null) return [`${path}: is no object`];
  return Object.entries(value).flatMap(([key, each]) =>
    keys && !keys.includes(key)
      ? [`${path}.${key}: is not documented`]
      : judgeType(each, map, `${path}.${key}`),
  );
}

/** The objects that a type consists of, each once, the outer ones first. */
export function objectsIn(type: Type): ReadonlyMap<string, Fields> {
  if (typeof type === 'string' || 'oneOf' in type || 'orNull' in type) return new Map();
  if ('any' in type) return new Map(type.any.flatMap((each) => [...objectsIn(each)]));
  if ('list' in type) return objectsIn(type.list);
  if ('map' in type) return objectsIn(type.map);
  return new Map([[type.name, type.fields], ...objectsOf(type.fields)]);
}

export const objectsOf = (fields: Fields): ReadonlyMap<string, Fields> =>
  new Map(Object.values(fields).flatMap(({ type }) => [...objectsIn(type)]));

/** A type as text. */
export function typeText(type: Type): string {
  if (typeof type === 'string') return type;
  if ('any' in type) return type.any.map(typeText).join(' or ');
  if ('oneOf' in type) return type.oneOf.map((word) => `\`${word}\``).join(', ');
  if ('orNull' in type) return `${type.orNull} or null`;
  if ('list' in type) return `list of ${typeText(type.list)}`;
  if ('map' in type) return `object: ${typeText(type.map)} by name`;
  return `[${type.name}](#${type.name.replaceAll(' ', '-')})`;
}
