/** The rows that a proxy reports of itself -> its status, as data. */
import { X509Certificate } from 'node:crypto';
import { daysUntil, readCertificate } from '../model/certificate.ts';
import type { RowKind } from '../model/contract.ts';
import type { HostReport } from '../model/host-report.ts';
import { renewalOf } from '../model/renewal.ts';
import type { Site } from '../model/site.ts';
import { isoTime } from '../model/when.ts';
import { VERBS, type Verb } from '../program/program.ts';
import { lookUp } from '../util/collections.ts';
import { backendsIn } from './backend-rows.ts';
import { clientsIn } from './client-rows.ts';

/** The status in a report; `now` judges the days left, since a proxy's clock may be off. */
export function statusOf(host: HostReport, site: Pick<Site, 'gate' | 'backends'>, now: string) {
  const { rows, facts } = host;
  const of = (kind: RowKind) => rows[kind] ?? [];
  const first = (kind: RowKind) => of(kind)[0]?.[0];
  const stalled = of('busy')[0]?.[1];
  const [releases, busy, unfinished] = [of('release').map(releaseOf), first('busy'), first('unfinished')];
  return {
    ...(releases[0] && { current: releases[0].id }),
    releases,
    state: of('file').map(([path = '', state = '']) => ({ path, state })),
    nginx: { version: facts.nginx ?? '', healthy: facts.healthy === 'yes', running: facts.running === 'yes' },
    // From before an unfinished binary upgrade.
    ...(facts.old_master && { oldMaster: facts.old_master }),
    messages: of('message').flatMap(([text = '']) => (isPraise(text) ? [] : [text])),
    ...((facts.vhost === 'tls' || facts.vhost === 'http-only') && { vhost: facts.vhost }),
    ...(facts.serves && { serves: facts.serves.trim() }),
    // The files that define $connection_upgrade; there should be one.
    upgrade: of('upgrade').flatMap(([file = '']) => file),
    ...(facts.certificate && { certificate: certificateStatusOf(facts.certificate, host.certificate, now) }),
    renewal: renewalOf(facts),
    ...(facts.certbot && { certbot: facts.certbot }),
    ...(site.gate && { clients: clientsIn(host) }),
    // What gives tokens to others, and the file that shows it.
    leaks: of('leak').flatMap(([kind, file = '']) =>
      kind === 'inputLog' || kind === 'etckeeper' || kind === 'openFiles' ? [[kind, file] as const] : [],
    ),
    backends: backendsIn(host, site),
    ...(facts.default_server && { defaultServer: facts.default_server }),
    ...(facts.selinux && { selinux: facts.selinux }),
    ...(busy && { busy }),
    ...(stalled && { stalled }),
    ...(unfinished && { unfinished }),
  };
}

export type Status = ReturnType<typeof statusOf>;

/** Is the site deployed, by a release or by a vhost that somebody else wrote? */
export const isDeployed = ({ releases: [last], vhost }: Pick<Status, 'releases' | 'vhost'>): boolean =>
  vhost !== undefined || (last !== undefined && last.kind !== REMOVAL);

const REMOVAL = 'remove' satisfies Verb;
const isPraise = (text: string): boolean => / syntax is ok$| test is successful$/.test(text);

function releaseOf([id = '', verb = '', ...rest]: readonly string[]) {
  const [when = '', who = '', about = '', gatepost = ''] = rest;
  const kind = lookUp<string>(KINDS, verb) ?? (Object.hasOwn(VERBS, verb) ? verb.replaceAll('_', ' ') : verb);
  return { id, kind, when, who, about, gatepost };
}

export type Release = ReturnType<typeof releaseOf>;

/** The verbs of the remote program that have another name for people. */
const KINDS: Readonly<Partial<Record<Verb | 'found', string>>> = {
  apply: 'deploy',
  found: 'found here',
  http_only: 'HTTP-only vhost',
  copy_client: 'copy clients',
};

/** `ends` is `missing` without a file, `unreadable` if it is not a certificate. */
function certificateStatusOf(path: string, pem: string | undefined, now: string) {
  const read = readCertificate(pem);
  const { subjectAltName = '' } = read && pem ? new X509Certificate(pem) : {};
  return {
    path,
    ...(read && {
      kind: read.kind,
      begins: isoTime(read.from),
      daysLeft: daysUntil(read.until, new Date(now)),
    }),
    ends: read ? isoTime(read.until) : pem === undefined ? 'missing' : 'unreadable',
    names: subjectAltName.replace(/(?:DNS|IP Address):/g, ''),
  };
}

export type CertificateStatus = ReturnType<typeof certificateStatusOf>;
