/** Will certbot renew a certificate automatically? Judged by the facts that a proxy reports. */
import { WEBROOT } from './certificate-files.ts';
import type { HostReport } from './host-report.ts';

/** As reported by lib/program/sh/certificate.sh. */
export interface Renewal {
  /** Is the certificate managed by certbot? */
  readonly by?: 'certbot';
  /** The lineage that it belongs to, if that is not the one of the site. */
  readonly lineage?: string;
  readonly authenticator?: string;
  readonly webroot?: string;
  /** How certbot is started there. */
  readonly schedule: 'timer' | 'cron' | 'off';
  /** Will nginx be reloaded after a renewal? */
  readonly hook: boolean;
}

const SCHEDULES = ['timer', 'cron'] as const;

/** Parses the facts of a host. */
export function renewalOf(facts: HostReport['facts']): Renewal {
  const { authenticator, webroot, lineage } = facts;
  return {
    ...(facts.renewed_by === 'certbot' && { by: 'certbot' as const }),
    ...(lineage && { lineage }),
    ...(authenticator && { authenticator }),
    ...(webroot && { webroot }),
    schedule: SCHEDULES.find((known) => known === facts.schedule) ?? 'off',
    hook: facts.hook === 'yes',
  };
}

/** What would let a CA certificate expire unnoticed: one sentence each, with the fix. */
export function renewalFaults(renewal: Renewal): readonly string[] {
  const { by, schedule, hook } = renewal;
  return [
    by === undefined ? UNKNOWN : authenticatorFault(renewal),
    schedule === 'off' ? OFF : '',
    by === undefined || hook ? '' : NO_HOOK,
  ].filter(Boolean);
}

function authenticatorFault({ authenticator, webroot = WEBROOT, lineage }: Renewal): string {
  if (lineage !== undefined) return '';
  if (authenticator === 'webroot' && webroot === WEBROOT) return '';
  return `certbot renews it with ${authenticator} ${webroot}, which this site may not serve; \`npx tsx scripts/bootstrap-tls.ts --force-renewal\` changes that and keeps all names`;
}

const UNKNOWN =
  'certbot does not manage the certificate there, so it will not be renewed; `npx tsx scripts/bootstrap-tls.ts --force-renewal` requests one that certbot renews';
const OFF =
  'certbot is not scheduled on the proxy; there, as root, run: `systemctl enable --now certbot.timer`';
const NO_HOOK =
  'nginx is not reloaded after renewals: the certbot renewal hook of gatepost is missing or changed; `npx tsx scripts/bootstrap-tls.ts` restores it';
