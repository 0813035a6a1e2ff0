/** Whether a certificate will be renewed automatically, from the facts that a proxy reports of certbot. */
import { WEBROOT } from './certificate-files.ts';
import type { HostReport } from './host-report.ts';

/** As lib/program/sh/certificate.sh reports it. */
export interface Renewal {
  /** Does certbot know the certificate? */
  readonly by?: 'certbot';
  /** The lineage that it belongs to, when that is not the site's own. */
  readonly lineage?: string;
  readonly authenticator?: string;
  readonly webroot?: string;
  /** What starts certbot there. */
  readonly schedule: 'timer' | 'cron' | 'off';
  /** Will nginx be reloaded after a renewal? */
  readonly hook: boolean;
}

const SCHEDULES = ['timer', 'cron'] as const;

/** The facts of a host, read. */
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

/** What would let a certificate of a CA run out unnoticed: a sentence each, with what to do. */
export function renewalFaults(renewal: Renewal): readonly string[] {
  const { by, schedule, hook } = renewal;
  return [
    by === undefined ? UNKNOWN : authenticatorFault(renewal),
    schedule === 'off' ? OFF : '',
    by === undefined || hook ? '' : UNTOLD,
  ].filter(Boolean);
}

function authenticatorFault({ authenticator, webroot = WEBROOT, lineage }: Renewal): string {
  if (lineage !== undefined) return '';
  if (authenticator === 'webroot' && webroot === WEBROOT) return '';
  return `certbot renews by ${authenticator} ${webroot}, which this site may not serve; \`npx tsx scripts/bootstrap-tls.ts --force-renewal\` changes that and keeps all names`;
}

const UNKNOWN =
  'certbot does not know the certificate there, so nobody renews it; `npx tsx scripts/bootstrap-tls.ts --force-renewal` gets one that it does';
const OFF =
  'certbot does not run by itself on the proxy; there, as root: `systemctl enable --now certbot.timer`';
const UNTOLD =
  'nginx is not told of renewals: our hook of certbot is missing or changed; `npx tsx scripts/bootstrap-tls.ts` puts it right';
