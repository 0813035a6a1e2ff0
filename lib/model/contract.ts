/** The words that TypeScript and the shell program (lib/program/sh/) say to each other; a unit test compares both sides. */

/** What a program can be made to do; each is a function of the shell program. */
export const VERBS = [
  'add_client',
  'apply',
  'bundle',
  'challenge',
  'copy_client',
  'end_challenge',
  'export_clients',
  'http_only',
  'issue',
  'outcome',
  'plan',
  'remove',
  'resume_client',
  'revoke_client',
  'revoke_previous',
  'rollback',
  'rotate',
  'self_signed',
  'set_client',
  'status',
  'suspend_client',
  'usage',
  'use_certificate',
] as const;
export type Verb = (typeof VERBS)[number];

/** The kinds of records that the program sends, the first field of each. */
export const RECORD_KINDS = [
  'advice',
  'after',
  'before',
  'certificate',
  'drift',
  'end',
  'error',
  'fact',
  'file',
  'generated',
  'note',
  'outcome',
  'past',
  'release',
  'row',
  'step',
  'text',
  'todo',
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** How a program ends: the field of `outcome`. */
export const VERDICTS = [
  'applied',
  'asked',
  'cancelled',
  'failed',
  'planned',
  'refused',
  'restore-failed',
  'rolled-back',
  'unchanged',
] as const;

/** Steps on the proxy, in the record `step`. */
export const PROGRAM_STEPS = [
  'backends',
  'certificate',
  'challenge',
  'link',
  'log',
  'order',
  'record',
  'reload',
  'restore',
  'serve',
  'sign',
  'survey',
  'test',
  'wait',
  'write',
] as const;
/** Steps that are taken and timed here. */
const LOCAL_STEPS = ['ask', 'checks', 'connect', 'fetch'] as const;
export const STEPS = [...PROGRAM_STEPS, ...LOCAL_STEPS] as const;
export type Step = (typeof STEPS)[number];

/** What the record `fact` names. */
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
/** What is read here from the certificate that a proxy sent. */
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
/** Failures that are found here, before, after or in the place of a program. */
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
/** Those whose finder says what to do, and one that this version does not know. */
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

/** `word` as one of `words`, since it comes from a proxy, perhaps by an older program. */
export const known = <T extends string>(words: readonly T[], word: string): T | undefined =>
  words.find((each) => each === word);

/** The code of a failure that a proxy reports. */
export const failureCode = (word: string): FailureCode => known(FAILURES, word) ?? 'unrecognized';
