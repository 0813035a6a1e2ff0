/** The rows that a proxy tells of itself -> its status, as data and as text. */
import { X509Certificate } from 'node:crypto';
import { clientsIn, type ListedClient } from './client-table.ts';
import type { HostReport } from './outcome.ts';

export interface Status {
  readonly current?: string;
  readonly releases: readonly Release[];
  readonly state: readonly { readonly path: string; readonly state: string }[];
  readonly nginx: { readonly version: string; readonly healthy: boolean; readonly running: boolean };
  readonly messages: readonly string[];
  readonly certificate?: Certificate;
  readonly clients: readonly ListedClient[];
  readonly backends: readonly { readonly address: string; readonly port: number; readonly state: string }[];
  /** Who is at work on the host now. */
  readonly busy?: string;
  /** A run that was left unfinished; the next change settles it. */
  readonly unfinished?: string;
}

export interface Release {
  readonly id: string;
  readonly kind: string;
  readonly when: string;
  readonly who: string;
  /** Of which client, or to which release. */
  readonly about: string;
}

export interface Certificate {
  readonly path: string;
  /** `2026-11-22T17:40:35Z`; `missing` where there is no file, `unreadable` where it holds something else. */
  readonly ends: string;
  readonly daysLeft?: number;
  readonly names: string;
}

/** What `host` told; `now` judges the days left, since a proxy's clock may be off. */
export function statusOf({ rows, facts, ...host }: HostReport, now: string): Status {
  const of = (kind: string) => rows[kind] ?? [];
  const releases = of('release').map(([id = '', kind = '', when = '', who = '', about = '']) => ({
    id,
    kind: KINDS[kind] ?? kind,
    when,
    who,
    about,
  }));
  const [certificate, busy, unfinished] = [
    of('certificate')[0],
    of('busy')[0]?.[0],
    of('unfinished')[0]?.[0],
  ];
  return {
    ...(releases[0] && { current: releases[0].id }),
    releases,
    state: of('file').map(([path = '', state = '']) => ({ path, state })),
    nginx: { version: facts.nginx ?? '', healthy: facts.healthy === 'yes', running: facts.running === 'yes' },
    messages: of('message').flatMap(([text = '']) =>
      / syntax is ok$| test is successful$/.test(text) ? [] : [text],
    ),
    ...(certificate && { certificate: certificateOf(certificate, of('pem').flat().join('\n'), now) }),
    clients: clientsIn({ ...host, rows, facts }),
    backends: of('backend')
      .map(backendOf)
      .sort((a, b) => a.port - b.port),
    ...(busy && { busy }),
    ...(unfinished && { unfinished }),
  };
}

const backendOf = ([address = '', port, state = '']: readonly string[]) => ({
  address,
  port: Number(port),
  state,
});

/** The verbs of the remote program, as people say them. */
const KINDS: Readonly<Record<string, string>> = {
  apply: 'deploy',
  http_only: 'HTTP-only vhost',
  found: 'found here',
  add_client: 'add client',
  revoke_client: 'revoke client',
  revoke_previous: 'revoke previous',
};

const DAY_MS = 86_400_000;

function certificateOf([path = '', missing]: readonly string[], pem: string, now: string): Certificate {
  if (missing) return { path, ends: 'missing', names: '' };
  try {
    const { validTo, subjectAltName = '' } = new X509Certificate(pem);
    const daysLeft = Math.floor((Date.parse(validTo) - Date.parse(now)) / DAY_MS);
    const names = subjectAltName.replace(/(?:DNS|IP Address):/g, '');
    return { path, ends: new Date(validTo).toISOString().replace('.000', ''), daysLeft, names };
  } catch {
    return { path, ends: 'unreadable', names: '' };
  }
}
