/** What a check is, what it is asked of, what it may say, and how many said what. */
import type { Duplex } from 'node:stream';
import type { Secret } from '../util/secret.ts';

export type CheckStatus = 'passed' | 'warned' | 'failed' | 'skipped';

/** What a check saw. */
export interface Finding {
  readonly status: CheckStatus;
  /** One plain sentence; for a failure also what it means and what to do next. */
  readonly detail: string;
  /** The same by hand; the token as `$VARIABLE`, never its value. */
  readonly curl?: string;
  readonly measured?: Measured;
}

/** What a check measured, for those who draw it; numbers and dates alone, so nothing in it is secret or hostile. */
export type Measured = StreamTiming | CertificateLife;

/** When a streamed answer arrived, in milliseconds since the request was sent. */
export interface StreamTiming {
  readonly kind: 'stream';
  /** Reads that came together are one piece; only the first few hundred are kept. */
  readonly pieces: readonly { readonly at: number; readonly events: number }[];
  /** When the last of all pieces came. */
  readonly total: number;
}

/** From when to when a certificate is valid (ISO 8601), and when its days left are too few. */
export interface CertificateLife {
  readonly kind: 'certificate';
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly warnDays: number;
  readonly failDays: number;
}

/** A finding with its name and its time, as the reports show it. */
export interface CheckResult extends Finding {
  readonly name: string;
  /** False only for a failure: what was skipped or warned of is no failure. */
  readonly ok: boolean;
  readonly milliseconds: number;
}

/** A certificate that a proxy holds for the site. */
export interface Issued {
  readonly kind: 'ca' | 'staging' | 'self-signed';
  /** SHA-256, as Node writes it: `AA:BB:…`. */
  readonly fingerprint: string;
}

/** The site as seen from outside, and by which way. */
export interface CheckTarget {
  readonly serverName: string;
  /** Is it known by an address or a name of its LAN only? No CA gives such a one a certificate. */
  readonly isNameless?: boolean | undefined;
  /** Connect there instead of resolving the name, as curl's `--connect-to`. */
  readonly address?: string | undefined;
  /** 443 unless given. */
  readonly port?: number | undefined;
  /** 80 unless given. */
  readonly httpPort?: number | undefined;
  /** Opens a connection to that port of the proxy by another way, such as an SSH tunnel. */
  readonly open?: ((port: number) => Promise<Duplex>) | undefined;
  readonly token?: Secret | undefined;
  /**
   * Asks the proxy itself what is wrong with the gate's clients; nothing where the gate has one.
   * @throws Error when the proxy cannot be asked
   */
  readonly clientFaults?: (() => Promise<readonly string[]>) | undefined;
  /** A token of scope `inference`. */
  readonly inferenceToken?: Secret | undefined;
  /** The proxies, as the settings name them; for advice. */
  readonly proxies?: readonly string[] | undefined;
  /** Certificates of which one must be served, as told by the proxies themselves; empty when not known. */
  readonly issued?: readonly Issued[] | undefined;
  /** How long each check may take; without it, each check's own limit holds. */
  readonly timeoutMs?: number | undefined;
  /** Set by `runChecks`: fires when a check's time is up. */
  readonly signal?: AbortSignal | undefined;
}

export interface Check {
  readonly name: string;
  /** 15 seconds unless given. */
  readonly limitMs?: number;
  /** Does it judge by the clock? Then what else this machine is at may spoil it. */
  readonly isTimed?: boolean;
  readonly run: (target: CheckTarget) => Promise<Finding>;
  /** The same by hand, where a finding does not say it better. */
  readonly curl?: (target: CheckTarget) => string;
}

/** A check, or a few, as a site names them (lib/checks/catalog.ts). */
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

/** How the checks went, and which failed. */
export function checkSummary(checks: readonly CheckResult[]): string[] {
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return [...checkCounts(checks), ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : [])];
}

/** How many passed, warned, failed and were skipped; nothing without checks. */
export function checkCounts(checks: readonly CheckResult[]): string[] {
  const count = (wanted: CheckStatus) => checks.filter(({ status }) => status === wanted).length;
  const parts = (['passed', 'warned', 'failed', 'skipped'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${status}`);
  return parts.length > 0 ? [`checks: ${parts.join(', ')}`] : [];
}
