/** Checks: their definition, target, findings and totals. */
import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Secret } from '../util/secret.ts';

export type CheckStatus = 'passed' | 'warned' | 'failed' | 'skipped';

/** The result of a check. */
export interface Finding {
  readonly status: CheckStatus;
  /** One sentence; for a failure also the cause and the fix. */
  readonly detail: string;
  /** The equivalent curl command; the token as `$VARIABLE`, never its value. */
  readonly curl?: string;
  readonly measured?: Measured;
}

/** Measurements for charts: only numbers and dates, so they contain no secrets and need no escaping. */
export type Measured = StreamTiming | CertificateLife;

/** Arrival times of a streamed response, in milliseconds since the request. */
export interface StreamTiming {
  readonly kind: 'stream';
  /** Reads at the same time count as one chunk; only the first few hundred are kept. */
  readonly pieces: readonly { readonly at: number; readonly events: number }[];
  /** The arrival of the last chunk. */
  readonly total: number;
}

/** The validity of a certificate (ISO 8601), and the thresholds for its days left. */
export interface CertificateLife {
  readonly kind: 'certificate';
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly warnDays: number;
  readonly failDays: number;
}

/** A finding with the name of its check and its duration. */
export interface CheckResult extends Finding {
  readonly name: string;
  /** False only for a failure: skipped checks and warnings do not count. */
  readonly ok: boolean;
  readonly milliseconds: number;
}

/** A certificate on a proxy for the site. */
export interface Issued {
  readonly kind: 'ca' | 'staging' | 'self-signed';
  /** SHA-256 in the format of Node: `AA:BB:…`. */
  readonly fingerprint: string;
}

/** The site to check, and how to connect to it. */
export interface CheckTarget {
  readonly serverName: string;
  /** Whether it has only an address or a LAN name, for which no public CA issues certificates. */
  readonly isNameless?: boolean | undefined;
  /** Connect to this address instead of resolving the name, like curl's `--connect-to`. */
  readonly address?: string | undefined;
  /** 443 by default. */
  readonly port?: number | undefined;
  /** 80 by default. */
  readonly httpPort?: number | undefined;
  /** Opens a connection to a port of the proxy in another way, such as an SSH tunnel. */
  readonly open?: ((port: number) => Promise<Duplex>) | undefined;
  readonly token?: Secret | undefined;
  /**
   * Queries the proxy itself for problems with the gate's clients or with the backends; empty if there are none.
   * @throws Error if the proxy cannot be queried
   */
  readonly faultsOnProxy?: ((about: 'backends' | 'clients') => Promise<readonly string[]>) | undefined;
  /** A token of scope `inference`. */
  readonly inferenceToken?: Secret | undefined;
  /** The origins whose pages may use the gate from a browser. */
  readonly origins?: readonly string[] | undefined;
  /** The proxies in the settings, for advice. */
  readonly proxies?: readonly string[] | undefined;
  /** The certificates on the proxies, one of which must be served; empty if unknown. */
  readonly issued?: readonly Issued[] | undefined;
  /** Time limit of each check; 15 seconds by default. */
  readonly timeoutMs?: number | undefined;
  /** Set by `runChecks`: aborts at the check's time limit. */
  readonly signal?: AbortSignal | undefined;
  /** Set by `runChecks`: shared by all checks, to limit concurrent requests. */
  readonly slots?: Slots | undefined;
  /** Set by `runChecks`: shared by all checks, and closed at the end of the run. */
  readonly connections?: SharedConnections | undefined;
}

/** Runs work when a slot is free. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Connections that successive requests reuse. */
export interface SharedConnections {
  /** For requests with a secret, or for others. */
  agentFor(isSecret: boolean): Agent;
}

export interface Check {
  readonly name: string;
  /** Whether its result depends on timing, so that other load on this machine can affect it. */
  readonly isTimed?: boolean;
  readonly run: (target: CheckTarget) => Promise<Finding>;
  /** The equivalent curl command, unless the finding has a better one. */
  readonly curl?: (target: CheckTarget) => string;
}

/** A check, or several, as listed by a site (lib/checks/catalog.ts). */
export interface CheckSpec {
  readonly maker: string;
  readonly options: readonly unknown[];
}

const finding =
  (status: CheckStatus) =>
  (detail: string): Finding => ({ status, detail });

export const passed = finding('passed');
export const warned = finding('warned');
export const failed = finding('failed');
export const skipped = finding('skipped');

/** The totals of the checks, and the names of the failed ones. */
export function checkSummary(checks: readonly CheckResult[]): string[] {
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return [...checkCounts(checks), ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : [])];
}

/** The numbers of passed, warned, failed and skipped checks; empty without checks. */
export function checkCounts(checks: readonly CheckResult[]): string[] {
  const count = (each: CheckStatus) => checks.filter(({ status }) => status === each).length;
  const parts = (['passed', 'warned', 'failed', 'skipped'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${status}`);
  return parts.length > 0 ? [`checks: ${parts.join(', ')}`] : [];
}
