/** The rows that a proxy reports of itself -> its status, as data. */
import { X509Certificate } from 'node:crypto';
import { daysUntil, readCertificate } from '../model/certificate.ts';
import type { Issued } from '../model/check.ts';
import type { RowKind } from '../model/contract.ts';
import type { HostReport } from '../model/host-report.ts';
import { type Renewal, renewalOf } from '../model/renewal.ts';
import type { Site } from '../model/site.ts';
import { isoTime } from '../model/when.ts';
import { VERBS, type Verb } from '../program/program.ts';
import { lookUp } from '../util/collections.ts';
import { type BackendStatus, backendsIn } from './backend-rows.ts';
import { clientsIn, type ListedClient } from './client-rows.ts';

export interface Status {
  readonly current?: string;
  readonly releases: readonly Release[];
  /** Each file of the last release: `ok`, or `changed` or `removed` since then. */
  readonly state: readonly { readonly path: string; readonly state: string }[];
  readonly nginx: { readonly version: string; readonly healthy: boolean; readonly running: boolean };
  /** The master process from before a binary upgrade that nobody finished, and its pid file. */
  readonly oldMaster?: string;
  readonly messages: readonly string[];
  /** The installed vhost: the full site, or the one before the first certificate. */
  readonly vhost?: 'tls' | 'http-only';
  /** The names that it serves, if the settings have another one. */
  readonly serves?: string;
  /** The files that define $connection_upgrade; there should be one. */
  readonly upgrade: readonly string[];
  readonly certificate?: CertificateStatus;
  readonly renewal: Renewal;
  /** Its path there. */
  readonly certbot?: string;
  /** Of a site with a gate. */
  readonly clients?: readonly ListedClient[];
  readonly backends: readonly BackendStatus[];
  /** What copies tokens out of their files, and the file that shows it. */
  readonly leaks: readonly (readonly ['inputLog' | 'etckeeper', string])[];
  /** The sockets on which it is the default server, because no other vhost is. */
  readonly defaultServer?: string;
  /** `off` if SELinux keeps nginx from the backends. */
  readonly selinux?: string;
  /** Who is running something on the host now. */
  readonly busy?: string;
  /** For how long that run has made no progress, if it is stopped or stuck. */
  readonly stalled?: string;
  /** An interrupted run; the next change settles it. */
  readonly unfinished?: string;
}

export interface Release {
  readonly id: string;
  readonly kind: string;
  readonly when: string;
  readonly who: string;
  /** Of which client, or to which release. */
  readonly about: string;
  /** The version of gatepost that made it; empty for versions that did not record it. */
  readonly gatepost: string;
}

export interface CertificateStatus {
  readonly path: string;
  /** `2026-11-22T17:40:35Z`; `missing` without a file, `unreadable` if it is not a certificate. */
  readonly ends: string;
  /** As `ends`; only of a certificate that can be read. */
  readonly begins?: string;
  readonly kind?: Issued['kind'];
  readonly daysLeft?: number;
  readonly names: string;
}

/** The status in a report; `now` judges the days left, since a proxy's clock may be off. */
export function statusOf(host: HostReport, site: Pick<Site, 'gate' | 'backends'>, now: string): Status {
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
    ...(facts.old_master && { oldMaster: facts.old_master }),
    messages: of('message').flatMap(([text = '']) => (isPraise(text) ? [] : [text])),
    ...((facts.vhost === 'tls' || facts.vhost === 'http-only') && { vhost: facts.vhost }),
    ...(facts.serves && { serves: facts.serves.trim() }),
    upgrade: of('upgrade').flatMap(([file = '']) => file),
    ...(facts.certificate && { certificate: certificateStatusOf(facts.certificate, host.certificate, now) }),
    renewal: renewalOf(facts),
    ...(facts.certbot && { certbot: facts.certbot }),
    ...(site.gate && { clients: clientsIn(host) }),
    leaks: of('leak').flatMap(([kind, file = '']) =>
      kind === 'inputLog' || kind === 'etckeeper' ? [[kind, file] as const] : [],
    ),
    backends: backendsIn(host, site),
    ...(facts.default_server && { defaultServer: facts.default_server }),
    ...(facts.selinux && { selinux: facts.selinux }),
    ...(busy && { busy }),
    ...(stalled && { stalled }),
    ...(unfinished && { unfinished }),
  };
}

/** Is the site deployed, by a release or by a vhost that somebody else wrote? */
export const isDeployed = ({ releases: [last], vhost }: Pick<Status, 'releases' | 'vhost'>): boolean =>
  vhost !== undefined || (last !== undefined && last.kind !== REMOVAL);

const REMOVAL = 'remove' satisfies Verb;
const isPraise = (text: string): boolean => / syntax is ok$| test is successful$/.test(text);

function releaseOf([id = '', verb = '', ...rest]: readonly string[]): Release {
  const [when = '', who = '', about = '', gatepost = ''] = rest;
  const kind = lookUp<string>(KINDS, verb) ?? (Object.hasOwn(VERBS, verb) ? verb.replaceAll('_', ' ') : verb);
  return { id, kind, when, who, about, gatepost };
}

/** The verbs of the remote program that have another name for people. */
const KINDS: Readonly<Partial<Record<Verb | 'found', string>>> = {
  apply: 'deploy',
  found: 'found here',
  http_only: 'HTTP-only vhost',
  copy_client: 'copy clients',
};

function certificateStatusOf(path: string, pem: string | undefined, now: string): CertificateStatus {
  if (pem === undefined) return { path, ends: 'missing', names: '' };
  const read = readCertificate(pem);
  if (read === undefined) return { path, ends: 'unreadable', names: '' };
  const { subjectAltName = '' } = new X509Certificate(pem);
  return {
    path,
    kind: read.kind,
    begins: isoTime(read.from),
    ends: isoTime(read.until),
    daysLeft: daysUntil(read.until, new Date(now)),
    names: subjectAltName.replace(/(?:DNS|IP Address):/g, ''),
  };
}
