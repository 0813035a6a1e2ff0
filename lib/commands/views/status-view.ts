/** The status of a host for people: points with a mark, then tables. */
import { FAILURE_CODES } from '../../diagnosis/failure-codes.ts';
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { judgeLife, timeText } from '../../model/certificate.ts';
import type { Fault, HostReport } from '../../model/host-report.ts';
import { renewalFaults } from '../../model/renewal.ts';
import type { Site } from '../../model/site.ts';
import type { Entry } from '../../output/report.ts';
import { atMinute, type Columns, tableOf } from '../../output/table.ts';
import {
  type CertificateStatus,
  isDeployed,
  type Release,
  type Status,
  statusOf,
} from '../../remote/status.ts';
import { lookUp } from '../../util/collections.ts';
import { backendPoints } from './backend-views.ts';
import { clientEntry, clientFaults, endingFaults, exactClients } from './client-views.ts';
import { defaultServerFaults, selinuxFaults } from './proxy-faults.ts';

interface Point extends Fault {
  readonly kind: 'point';
  readonly status: 'passed' | 'warned' | 'failed' | 'skipped';
}

/** What a host has, and what is to be said about it. */
export interface HostStatus {
  readonly status: Status;
  readonly points: readonly Point[];
}

/** The status in the report of a host; `now` judges the days left. */
export function hostStatus(
  host: HostReport,
  site: Pick<Site, 'backends' | 'gate' | 'certificate' | 'serverName'>,
  now: string,
): HostStatus {
  const status = statusOf(host, site, now);
  const backends = backendPoints(status.backends, site);
  const points = [
    nginxPoint(status),
    ...runPoints(status),
    certificatePoint(status.certificate, new Date(now)),
    ...pointsOf('warned', faultsOf(status)),
    ...filePoints(status),
    ...backends.map(({ status, text }) => point('a backend', status, text)),
    // Not a fault if this is the only vhost.
    ...pointsOf('skipped', defaultServerFaults(host, site)),
    ...pointsOf('warned', selinuxFaults(host)),
    ...pointsOf('failed', clientFaults(host, site)),
    ...pointsOf('warned', endingFaults(host, now)),
    ...exactPoints(status),
  ];
  return { status, points };
}

/** All of it. */
export const statusEntries = (host: HostReport, { status, points }: HostStatus): readonly Entry[] => [
  { kind: 'title', text: host.host },
  ...points,
  releases(status),
  ...(status.clients?.length ? [clientEntry(host)] : []),
];

const point = (about: string, status: Point['status'], text: string): Point => ({
  kind: 'point',
  about,
  status,
  text,
});

const pointsOf = (status: Point['status'], faults: readonly Fault[]): readonly Point[] =>
  faults.map(({ about, text }) => point(about, status, text));

function exactPoints({ clients = [] }: Status): readonly Point[] {
  const names = exactClients(clients);
  if (names.length === 0) return [];
  const text = `${names.join(', ')}: the token begins like another one, so it is looked up by a regex`;
  return [point('clients', 'skipped', text)];
}

function runPoints({ busy, stalled, unfinished }: Status): readonly Point[] {
  const advice = '`--take-over-lock` with the next change ends it';
  return [
    ...(busy && stalled ? [point('a run', 'warned', `a run is ${stalled}: ${busy}; ${advice}`)] : []),
    ...(busy && !stalled ? [point('a run', 'skipped', `a run is in progress: ${busy}`)] : []),
    ...(unfinished
      ? [
          point(
            'an interrupted run',
            'warned',
            `interrupted: ${unfinished}; the next change rolls it back first`,
          ),
        ]
      : []),
  ];
}

function nginxPoint({ nginx: { version, running, healthy }, messages }: Status): Point {
  if (version === 'absent') return point('nginx', 'failed', 'nginx: not installed on this host');
  const health = healthy ? 'accepts its configuration' : 'REFUSES its configuration';
  const line = `nginx ${version}: ${running ? 'running' : 'NOT running'}, ${health}`;
  return point('nginx', running && healthy ? 'passed' : 'failed', [line, ...messages].join('\n'));
}

function certificatePoint(certificate: CertificateStatus | undefined, now: Date): Point {
  const line = (status: Point['status'], text: string) =>
    point('the certificate', status, `certificate: ${text}`);
  if (!certificate) return line('skipped', 'none known');
  const { path, begins, ends, names } = certificate;
  if (ends === 'missing') return line('failed', `${path} is missing (\`npx tsx scripts/bootstrap-tls.ts\`)`);
  if (begins === undefined) return line('failed', `${path} is not a PEM certificate`);
  const life = { from: new Date(begins), until: new Date(ends) };
  const left = life.until < now ? 'expired on' : `${timeText(life.until, now)} left, until`;
  return line(judgeLife(life, now), `${left} ${atMinute(ends)}, for ${names} (${path})`);
}

const STATES: Readonly<Record<string, string>> = {
  ok: 'as released',
  changed: 'changed by hand',
  removed: 'removed by hand',
};

function filePoints({ state }: Status): readonly Point[] {
  return [...new Set(state.map((file) => file.state))].map((each) => {
    const paths = state.flatMap((file) => (file.state === each ? [file.path] : []));
    const text = `${lookUp(STATES, each) ?? each}: ${paths.join(', ')}`;
    return point('files', each === 'ok' ? 'passed' : 'warned', text);
  });
}

const RELEASE_COLUMNS: Columns<Release> = {
  release: ({ id }) => id,
  when: ({ when }) => atMinute(when),
  who: ({ who }) => who,
  what: ({ kind, about }) => [kind, about].filter(Boolean).join(' '),
};

function releases({ releases: [current, ...earlier] }: Status): Entry {
  if (!current) return { kind: 'text', text: 'no releases of this site' };
  const last = { ...current, about: `${current.about} (current)`.trim() };
  // An id begins with its time.
  return { kind: 'table', table: tableOf(RELEASE_COLUMNS, [last, ...earlier], ['when']) };
}

/** Problems that the status itself shows, besides those of its lists (files, backends, days left). */
export const faultsOf = (status: Status): readonly Fault[] => [
  ...masterFaults(status),
  ...vhostFaults(status),
  ...upgradeFaults(status),
  ...status.leaks.map(([kind, file]) => ({ about: 'tokens', text: `${file}: ${advised(SYMPTOMS[kind])}` })),
  ...certificateFaults(status),
];

function masterFaults({ oldMaster }: Status): Fault[] {
  if (oldMaster === undefined) return [];
  const { cause, fix } = FAILURE_CODES.upgrading;
  return [{ about: 'nginx', text: `${cause} (${oldMaster}) ${fix}` }];
}

function vhostFaults({ vhost, serves, releases }: Status): Fault[] {
  if (vhost === 'http-only') return [{ about: 'TLS', text: HTTP_ONLY }];
  if (serves !== undefined) {
    const text = `the vhost is for ${serves}, which is not the name in the settings: \`npx tsx scripts/deploy.ts\` renames the site`;
    return [{ about: 'the name', text }];
  }
  return vhost === undefined || isDeployed({ releases }) ? [] : [{ about: 'the vhost', text: FOREIGN_VHOST }];
}

const HTTP_ONLY =
  'only the HTTP-only vhost is in place, without a certificate: `npx tsx scripts/bootstrap-tls.ts` continues';
const FOREIGN_VHOST =
  'a vhost of this site exists that gatepost did not deploy: the next deploy saves it as a release and replaces it';

/** The last one wins, silently, for every site. */
function upgradeFaults({ upgrade }: Status): Fault[] {
  if (upgrade.length < 2) return [];
  const text = `$connection_upgrade is defined ${upgrade.length} times, and the last one applies to every site: keep one of ${upgrade.join(', ')}`;
  return [{ about: 'WebSocket', text }];
}

/** A self-signed certificate is not renewed. */
function certificateFaults({ certificate, renewal, certbot }: Status): Fault[] {
  if (certificate?.kind !== 'ca' && certificate?.kind !== 'staging') return [];
  return renewalFaults(renewal, certbot).map((text) => ({ about: 'renewal', text }));
}
