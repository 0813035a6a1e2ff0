/** The status of a host for people: points with a mark, then tables. */
import { FAILURE_CODES } from '../../diagnosis/failure-codes.ts';
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { judgeLife, timeText } from '../../model/certificate.ts';
import { type Fault, type HostReport, isDone, withVerdict } from '../../model/host-report.ts';
import { renewalFaults } from '../../model/renewal.ts';
import { timeNow } from '../../model/run.ts';
import type { Site } from '../../model/site.ts';
import type { Entry } from '../../output/report.ts';
import { atMinute } from '../../output/table.ts';
import { type CertificateStatus, isDeployed, type Status, statusOf } from '../../remote/status.ts';
import { lookUp } from '../../util/collections.ts';
import type { Context } from '../context.ts';
import { backendPoints } from './backend-views.ts';
import { type ClientDifference, differenceText } from './client-differences.ts';
import { clientEntry, clientFaults, endingFaults, exactClients } from './client-views.ts';
import { defaultServerText, selinuxFaults } from './proxy-faults.ts';
import { asRead, needs } from './summary.ts';

interface Point {
  readonly kind: 'point';
  /** What it is about, for the summary. */
  readonly about: string;
  readonly status: 'passed' | 'warned' | 'failed' | 'skipped';
  readonly text: string;
}

/** All of it; `now` judges the days left. */
export function statusEntries(host: HostReport, site: GatedOrNot, now: string): readonly Entry[] {
  const status = statusOf(host, site, now);
  return [
    { kind: 'title', text: host.host },
    ...pointsOn(host, site, status, now),
    releases(status),
    ...(status.clients?.length ? [clientEntry(host)] : []),
  ];
}

/** The report with what needs attention on the host, and the verdict for the summary. */
export function judgeStatus({ site }: Context, report: HostReport): HostReport {
  if (!isDone(report)) return asRead(report);
  const now = timeNow();
  const status = statusOf(report, site, now);
  const attention = pointsOn(report, site, status, now)
    .filter(({ status: is }) => is === 'failed' || is === 'warned')
    .map(({ about, text }) => ({ about, text }));
  const meaning = needs(attention) ?? (isDeployed(status) ? 'healthy' : 'not deployed');
  return withVerdict(report, { attention, meaning });
}

/** Reports what each host that was read has, and where the clients of several differ. */
export function reportStatus(
  { site, report }: Context,
  hosts: readonly HostReport[],
  differences: readonly ClientDifference[],
): void {
  for (const host of hosts.filter(isDone))
    for (const entry of statusEntries(host, site, timeNow())) report.print(entry);
  if (differences.length > 0)
    report.print({ kind: 'title', text: 'Clients that differ between the proxies' });
  for (const difference of differences)
    report.print({ kind: 'point', status: 'warned', text: differenceText(difference) });
}

/** For --json: a host's verdict (`healthy`, `needs attention`, `not deployed`, `not checked`) and its status. */
export const statusJson = ({ site }: Context, hosts: readonly HostReport[]): readonly object[] =>
  hosts.map((host) => {
    if (!isDone(host)) return { verdict: 'not checked' };
    const [verdict] = (host.meaning ?? '').split(':');
    return { verdict, ...statusOf(host, site, timeNow()) };
  });

type GatedOrNot = Pick<Site, 'backends' | 'gate' | 'certificate' | 'serverName'>;

const point = (about: string, status: Point['status'], text: string): Point => ({
  kind: 'point',
  about,
  status,
  text,
});

const pointsOn = (host: HostReport, site: GatedOrNot, status: Status, now: string): readonly Point[] => [
  ...points(status, site, now),
  ...defaultPoints(host, site),
  ...selinuxFaults(host).map(({ about, text }) => point(about, 'warned', text)),
  ...clientFaults(host, site).map(({ about, text }) => point(about, 'failed', text)),
  ...endingFaults(host, now).map(({ about, text }) => point(about, 'warned', text)),
  ...exactPoint(status),
];

/** Not a fault if this is the only vhost. */
function defaultPoints(host: HostReport, site: GatedOrNot): readonly Point[] {
  const text = defaultServerText(host, site);
  return text ? [point('the default server', 'skipped', text)] : [];
}

/** A hint only. */
function exactPoint({ clients = [] }: Status): readonly Point[] {
  const names = exactClients(clients);
  if (names.length === 0) return [];
  const text = `${names.join(', ')}: the token begins like another one, so it is looked up by a regex`;
  return [point('clients', 'skipped', text)];
}

function points(status: Status, site: GatedOrNot, now: string): readonly Point[] {
  const { busy, stalled, unfinished, backends } = status;
  return [
    nginxPoint(status),
    ...(busy ? [runPoint(busy, stalled)] : []),
    ...(unfinished ? [point('an interrupted run', 'warned', unfinishedText(unfinished))] : []),
    certificatePoint(status.certificate, new Date(now)),
    ...faultsOf(status).map(({ about, text }) => point(about, 'warned', text)),
    ...filePoints(status),
    ...backendPoints(backends, site).map(({ status: is, text }) => point('a backend', is, text)),
  ];
}

const runPoint = (busy: string, stalled?: string): Point =>
  stalled
    ? point(
        'a run',
        'warned',
        `a run is ${stalled}: ${busy}; \`--take-over-lock\` with the next change ends it`,
      )
    : point('a run', 'skipped', `a run is in progress: ${busy}`);

const unfinishedText = (run: string) => `interrupted: ${run}; the next change rolls it back first`;

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

/** One line per state, with its files. */
function filePoints({ state }: Status): readonly Point[] {
  return [...new Set(state.map((file) => file.state))].map((each) => {
    const paths = state.flatMap((file) => (file.state === each ? [file.path] : []));
    return point(
      'files',
      each === 'ok' ? 'passed' : 'warned',
      `${lookUp(STATES, each) ?? each}: ${paths.join(', ')}`,
    );
  });
}

function releases({ releases: all }: Status): Entry {
  if (all.length === 0) return { kind: 'text', text: 'no releases of this site' };
  const rows = all.map(({ id, when, who, kind, about }, i) => [
    id,
    atMinute(when),
    who,
    `${kind}${about ? ` ${about}` : ''}${i === 0 ? ' (current)' : ''}`,
  ]);
  // An id begins with its time.
  return { kind: 'table', table: { heads: ['release', 'when', 'who', 'what'], rows, spare: ['when'] } };
}

/** Problems that the status itself shows, besides those of its lists (files, backends, days left). */
export function faultsOf(status: Status): readonly Fault[] {
  return [
    ...masterFaults(status),
    ...vhostFaults(status),
    ...upgradeFaults(status),
    ...leakFaults(status),
    ...certificateFaults(status),
  ];
}

function masterFaults({ oldMaster }: Status): Fault[] {
  if (oldMaster === undefined) return [];
  const { cause, fix } = FAILURE_CODES.upgrading;
  return [{ about: 'nginx', text: `${cause} (${oldMaster}) ${fix}` }];
}

function vhostFaults({ vhost, serves, releases }: Status): Fault[] {
  if (vhost === 'http-only') {
    const text =
      'only the HTTP-only vhost is in place, without a certificate: `npx tsx scripts/bootstrap-tls.ts` continues';
    return [{ about: 'TLS', text }];
  }
  if (serves !== undefined) {
    const text = `the vhost is for ${serves}, which is not the name in the settings: \`npx tsx scripts/deploy.ts\` renames the site`;
    return [{ about: 'the name', text }];
  }
  if (vhost === undefined || isDeployed({ releases })) return [];
  const text =
    'a vhost of this site exists that gatepost did not deploy: the next deploy saves it as a release and replaces it';
  return [{ about: 'the vhost', text }];
}

/** Where other programs copy tokens. */
function leakFaults({ leaks }: Status): Fault[] {
  return leaks.map(([kind, file]) => ({ about: 'tokens', text: `${file}: ${advised(SYMPTOMS[kind])}` }));
}

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
