/** Whether the certificate will be renewed automatically, judged by the facts that a proxy reports. */
import { WEBROOT } from './certbot.ts';
import { known } from './contract.ts';
import type { HostReport } from './host-report.ts';

const RENEWERS = ['certbot', 'acme.sh', 'lego'] as const;
const SCHEDULES = ['timer', 'cron'] as const;

/** What manages the certificate of a host, by its facts (lib/program/sh/certificate.sh). */
export function renewalOf(facts: HostReport['facts']) {
  const { authenticator, webroot, lineage } = facts;
  const by = known(RENEWERS, facts.renewed_by ?? '');
  return {
    ...(by && { by }),
    // The lineage that it belongs to, if not the site's own.
    ...(lineage && { lineage }),
    ...(authenticator && { authenticator }),
    ...(webroot && { webroot }),
    schedule: known(SCHEDULES, facts.schedule ?? '') ?? ('off' as const),
    // Is nginx reloaded after a renewal?
    hook: facts.hook === 'yes',
  };
}

export type Renewal = ReturnType<typeof renewalOf>;

/**
 * What would let a CA certificate expire unnoticed: one sentence each, with the fix.
 * @param certbot its path on the proxy
 */
export function renewalFaults(renewal: Renewal, certbot?: string): readonly string[] {
  const { by, schedule, hook } = renewal;
  return [
    by === undefined ? UNKNOWN : authenticatorFault(renewal),
    schedule === 'off' ? unscheduled(renewal, certbot) : '',
    by === undefined || hook ? '' : NO_HOOK[by],
  ].filter(Boolean);
}

function authenticatorFault({ by, authenticator, webroot = WEBROOT, lineage }: Renewal): string {
  if (by !== 'certbot' || lineage !== undefined) return '';
  if (authenticator === 'webroot' && webroot === WEBROOT) return '';
  return `certbot renews it with ${authenticator} ${webroot}, which this site may not serve; \`npx tsx scripts/bootstrap-tls.ts --force-renewal\` changes that and keeps all names`;
}

const UNKNOWN =
  'certbot does not manage the certificate there, so it will not be renewed; `npx tsx scripts/bootstrap-tls.ts --force-renewal` requests one that certbot renews';

/** How renewals are normally scheduled: a package has its own timer, a pip installation has none. */
function unscheduled({ by }: Renewal, certbot = '/usr/bin/certbot'): string {
  if (by === 'acme.sh')
    return 'acme.sh renews it, but is not scheduled on the proxy; there, run: `acme.sh --install-cronjob`';
  if (by === 'lego')
    return 'lego renews it, but neither a timer nor a cron line on the proxy starts `lego renew`: add one';
  return `certbot is not scheduled on the proxy; there, as root, run: \`${timerCommand(certbot)}\``;
}

function timerCommand(certbot: string): string {
  if (certbot.startsWith('/snap/')) return 'systemctl enable --now snap.certbot.renew.timer';
  if (certbot === '/usr/bin/certbot')
    return 'systemctl enable --now certbot.timer` (RHEL, Fedora: `certbot-renew.timer';
  return `echo '17 */12 * * * root ${certbot} renew -q' >/etc/cron.d/certbot`;
}

const NO_HOOK = {
  certbot:
    'nginx is not reloaded after renewals: the certbot renewal hook of gatepost is missing or changed; `npx tsx scripts/bootstrap-tls.ts` restores it',
  'acme.sh':
    'nginx is not reloaded after renewals: acme.sh has no reload command for it; on the proxy, set one: `acme.sh --install-cert -d NAME --reloadcmd "systemctl reload nginx"` with its file options',
  lego: 'nginx is not reloaded after renewals: add `--renew-hook "systemctl reload nginx"` to the line that starts `lego renew`',
} as const;
