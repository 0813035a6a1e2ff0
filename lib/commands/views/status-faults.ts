/** What is wrong on a proxy though nothing complains of it yet: a sentence each, with what to do. */
import type { Fault } from '../../model/host-report.ts';
import { renewalFaults } from '../../model/renewal.ts';
import { isDeployed, type Status } from '../../remote/status.ts';

/** All that a status shows to be wrong by itself, beside what it lists (files, backends, days left). */
export function faultsOf(status: Status): readonly Fault[] {
  return [...vhostFaults(status), ...upgradeFaults(status), ...certificateFaults(status)];
}

function vhostFaults({ vhost, releases }: Status): Fault[] {
  if (vhost === 'http-only') {
    const text =
      'only the HTTP-only vhost is in place, without a certificate: `npx tsx scripts/bootstrap-tls.ts` goes on';
    return [{ about: 'TLS', text }];
  }
  if (vhost === undefined || isDeployed({ releases })) return [];
  const text =
    'a vhost of this site is there and no release of ours: the next deploy keeps it, and takes over';
  return [{ about: 'the vhost', text }];
}

/** The last one wins, silently, for every site. */
function upgradeFaults({ upgrade }: Status): Fault[] {
  if (upgrade.length < 2) return [];
  const text = `$connection_upgrade is defined ${upgrade.length} times, and the last one counts for every site: keep one of ${upgrade.join(', ')}`;
  return [{ about: 'WebSocket', text }];
}

/** A self-signed one is nobody's to renew. */
function certificateFaults({ certificate, renewal }: Status): Fault[] {
  if (certificate?.kind !== 'ca' && certificate?.kind !== 'staging') return [];
  return renewalFaults(renewal).map((text) => ({ about: 'renewal', text }));
}
