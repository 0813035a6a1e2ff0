/** The words that TypeScript and the shell program (lib/program/sh/) exchange; a unit test compares both sides. */

/** Steps on the proxy, in the record `step`, with their titles. */
export const PROGRAM_STEPS = {
  wait: 'wait for another run',
  survey: 'inspect nginx and managed files',
  certificate: 'inspect the certificate and its renewal',
  test: 'test configuration (nginx -t)',
  write: 'stage new files, back up current ones',
  reload: 'reload nginx, wait for old workers to exit',
  record: 'record the release',
  restore: 'roll back',
  challenge: 'write a challenge file',
  link: 'link the certificate',
  order: 'request the certificate (certbot)',
  sign: 'generate a self-signed certificate',
  serve: 'reload nginx, check the new certificate',
  backends: 'check the backends',
  log: 'read the access log',
} as const;
/** Steps that are taken and timed here. */
const LOCAL_STEPS = {
  ask: 'query the outcome',
  checks: 'check this proxy',
  connect: 'connect',
  fetch: 'pre-check the challenge over HTTP',
} as const;
export type Step = keyof typeof PROGRAM_STEPS | keyof typeof LOCAL_STEPS;
export const STEPS: Readonly<Record<Step, string>> = { ...PROGRAM_STEPS, ...LOCAL_STEPS };

/** The names in the record `fact`. */
export const PROGRAM_FACTS = [
  'authenticator',
  'certbot',
  'certificate',
  'clients',
  'default_server',
  'ended',
  'healthy',
  'hook',
  'key',
  'lineage',
  'nginx',
  'old_master',
  'previous',
  'renewed_by',
  'running',
  'schedule',
  'selinux',
  'serves',
  'unseen',
  'vhost',
  'webroot',
] as const;
/** Facts derived here from the certificate that a proxy sent. */
const LOCAL_FACTS = ['certificate_kind', 'certificate_sha256', 'certificate_until'] as const;
export const FACTS = [...PROGRAM_FACTS, ...LOCAL_FACTS] as const;
export type Fact = (typeof FACTS)[number];

/** The kinds of rows: the first field of the record `row`. */
export const ROW_KINDS = [
  'backend',
  'busy',
  'client',
  'file',
  'gate_client',
  'leak',
  'listen',
  'log_line',
  'log_span',
  'message',
  'obstacle',
  'other_name',
  'refused_from',
  'release',
  'report',
  'token',
  'unfinished',
  'upgrade',
  'usable',
  'usage',
] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** Failures that the program reports, in the record `error`. */
export const PROGRAM_FAILURES = [
  'cancelled',
  'certbot-missing',
  'certbot-old',
  'client-ended',
  'client-exists',
  'client-file',
  'copy-exists',
  'edited',
  'ended',
  'hook',
  'layout',
  'lineage-name',
  'lineage-names',
  'linked',
  'live',
  'lock-stalled',
  'locked',
  'managed',
  'nginx-absent',
  'nginx-old',
  'nginx-several',
  'nginx-stopped',
  'no-client',
  'no-earlier',
  'no-files',
  'no-gate',
  'no-release',
  'openssl',
  'order',
  'order-timeout',
  'output-log',
  'reload',
  'restart',
  'restore',
  'same-token',
  'serve',
  'sick',
  'sign',
  'store',
  'stream',
  'target',
  'test',
  'tools',
  'unusable',
  'upgrading',
  'variable',
  'webroot',
  'write',
] as const;
/** Failures that are detected here, before, after or instead of a program. */
const LOCAL_FAILURES = [
  'bug',
  'challenge-ipv6',
  'challenge-other',
  'challenge-redirect',
  'challenge-unreachable',
  'dns',
  'dns-missing',
  'dns-private',
  'lost',
  'sudo',
  'unknown',
] as const;
/** Failures of an order, distinguished here by the output of certbot and the CA. */
const ORDER_FAILURES = [
  'acme-account',
  'acme-account-choice',
  'acme-bad-nonce',
  'acme-caa',
  'acme-challenge',
  'acme-connection',
  'acme-dns',
  'acme-flags',
  'acme-rate-limited',
  'acme-refused',
  'acme-unreachable',
  'acme-untrusted',
  'certbot-busy',
  'disk-full',
  'read-only',
] as const;
/** Failures whose detector gives the fix, and one that this version does not know. */
const OTHER_FAILURES = ['not-tried', 'ssh', 'unrecognized'] as const;

/** Failures that their code alone explains (lib/diagnosis/failure-codes.ts). */
export type ExplainedFailure = (typeof PROGRAM_FAILURES)[number] | (typeof LOCAL_FAILURES)[number];
export type FailureCode =
  | ExplainedFailure
  | (typeof ORDER_FAILURES)[number]
  | (typeof OTHER_FAILURES)[number];
const FAILURES: readonly FailureCode[] = [
  ...PROGRAM_FAILURES,
  ...LOCAL_FAILURES,
  ...ORDER_FAILURES,
  ...OTHER_FAILURES,
];

/** `word` as one of `words`, since it comes from a proxy, perhaps from an older program. */
export const known = <T extends string>(words: readonly T[], word: string): T | undefined =>
  words.find((each) => each === word);

/** The code of a failure that a proxy reports. */
export const failureCode = (word: string): FailureCode => known(FAILURES, word) ?? 'unrecognized';
