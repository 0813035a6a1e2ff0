/** The way of one host to a certificate and the full site: look, HTTP-only vhost, challenge, order, deploy. */
import type { Wish } from './acme.ts';
import { type Certificate, dayOf, daysLeft, KINDS, readCertificate, whyNot } from './certificate.ts';
import { resolve, tryChallenge } from './challenge.ts';
import { runOn } from './change.ts';
import type { Context } from './cli.ts';
import type { Deploy } from './deploy.ts';
import { typed } from './explain-acme.ts';
import type { Failure, HostReport } from './outcome.ts';
import type { Program, Remote } from './remote.ts';
import { joined, lasting } from './several.ts';
import { isDone } from './summary.ts';
import * as programs from './tls-programs.ts';

/** One host on its way: `account` grows by each program that ran. */
interface Way {
  readonly context: Context;
  readonly wish: Wish;
  readonly remote: Remote;
  account: HostReport;
}

/** Brings a host to a good certificate and the full site; where it gets none, says why. */
export async function bootstrap(
  context: Context,
  wish: Wish,
  deploy: Deploy,
  remote: Remote,
): Promise<HostReport> {
  const { site } = context;
  const first = await runOn(context, remote, await programs.lookProgram(site), false);
  const way: Way = { context, wish, remote: lasting(remote), account: first };
  try {
    if (!isDone(first) || !(await hasCertificate(way))) return way.account;
    warnOfRenewal(way);
    await perform(way, { id: deploy.run.id, text: deploy.program }, !context.flags['dry-run']);
    return way.account;
  } finally {
    way.remote.close();
  }
}

/** Runs one program and adds its account; false when it failed. */
async function perform(way: Way, program: Program, changes = true): Promise<boolean> {
  const report = await runOn(way.context, way.remote, program, changes);
  way.account = joined(way.account, report.failure ? { ...report, failure: typed(report.failure) } : report);
  return isDone(report);
}

/** Sees to a good certificate on the host; false when there is none in the end. */
async function hasCertificate(way: Way): Promise<boolean> {
  const { context, wish } = way;
  const why = reason(way);
  if (why === '') {
    note(way, `${describe(current(way))}; no new one is needed`);
    return mendHook(way);
  }
  note(way, `${why}: ${context.flags['dry-run'] ? 'a new one would be made' : 'a new one is made'}`);
  if (context.flags['dry-run']) return true;
  return wish.way === 'self-signed' ? sign(way) : order(way);
}

/** Why a new certificate is wanted; empty when it is not. */
function reason({ context, wish, account }: Way): string {
  if (wish.force) return '--force-renewal';
  const name = context.site.serverName;
  const certificate = readCertificate(account.certificate);
  if (certificate && account.facts.key !== 'yes') return 'the key of the certificate there is missing';
  if (wish.staging) return '--staging';
  const accepted = wish.way === 'self-signed' ? (['ca', 'self-signed'] as const) : (['ca'] as const);
  return whyNot(certificate, name, accepted, new Date());
}

const current = (way: Way): Certificate | undefined => readCertificate(way.account.certificate);

/** A hook that is missing or old is put right, and nginx made to serve what certbot may have renewed without it. */
async function mendHook(way: Way): Promise<boolean> {
  const { facts } = way.account;
  if (way.wish.way === 'self-signed' || way.context.flags['dry-run']) return true;
  if (facts.renewed_by !== 'certbot' || facts.hook === 'yes') return true;
  return perform(way, await programs.issueProgram(way.context.site, 'none', way.wish));
}

async function sign(way: Way): Promise<boolean> {
  const { site } = way.context;
  if (!(await perform(way, await programs.selfSignedProgram(site, way.remote.host)))) return false;
  note(way, `${describe(current(way))}, signed by the proxy itself; clients must be told to trust it`);
  return true;
}

/** HTTP-only vhost where the site is not on TLS, the try from outside, then certbot. */
async function order(way: Way): Promise<boolean> {
  const { site, settings } = way.context;
  if (way.account.facts.vhost !== 'tls') {
    if (!(await perform(way, await programs.httpOnlyProgram(site, settings)))) return false;
    way.account.facts.vhost = 'http-only';
  }
  if (way.account.facts.certbot !== 'yes')
    return fail(way, { code: 'certbot-missing', text: 'there is no certbot on the proxy' });
  if (!(await isReachable(way))) return false;
  if (!(await perform(way, await programs.issueProgram(site, orderFor(way), way.wish)))) return without(way);
  note(
    way,
    orderFor(way) === 'rehearsal'
      ? REHEARSED
      : `${describe(current(way))}, issued by ${current(way)?.issuer}`,
  );
  return true;
}

const REHEARSED = 'the staging CA would have issued; the certificate there stays as it is';

/** A certificate from a CA is never given up for a staging one. */
const orderFor = (way: Way): programs.Order =>
  way.wish.staging && current(way)?.kind === 'ca' ? 'rehearsal' : 'new';

/** Does the name lead to this host's webroot, as far as this machine can see? */
async function isReachable(way: Way): Promise<boolean> {
  const { site, report } = way.context;
  const resolved = await resolve(site.serverName);
  if ('failure' in resolved) return fail(way, resolved.failure);
  const file = programs.newChallenge();
  if (!(await perform(way, await programs.challengeProgram(site, file), false))) return without(way);
  const start = performance.now();
  const { failure, warnings } = await tryChallenge(
    site.serverName,
    resolved.addresses,
    file,
    way.wish.isLocalCa,
  );
  const milliseconds = Math.round(performance.now() - start);
  way.account.milliseconds.fetch = milliseconds;
  report.tell({ kind: 'step', host: way.remote.host, name: 'fetch', milliseconds, ok: !failure });
  for (const text of warnings) report.tell({ kind: 'warning', text });
  if (!failure) return true;
  await perform(way, await programs.challengeProgram(site), false);
  return fail(way, failure);
}

function fail(way: Way, failure: Failure): false {
  way.account = { ...way.account, outcome: 'failed', failure };
  return without(way);
}

/** No certificate: what is served now is said, for it may be the HTTP-only vhost. */
function without({ account }: Way): false {
  if (account.outcome === 'failed' || account.outcome === 'refused')
    account.meaning = `no new certificate; ${SERVING[account.facts.vhost ?? ''] ?? 'what was served before still is'}`;
  return false;
}

const SERVING: Readonly<Record<string, string>> = {
  'http-only': 'the HTTP-only vhost is in place and answers the challenge path',
};

function warnOfRenewal({ context, account, wish }: Way): void {
  const { report } = context;
  const warn = (text: string) => report.tell({ kind: 'warning', text });
  const { renewed_by, schedule, authenticator, webroot } = account.facts;
  if (wish.way === 'self-signed' || context.flags['dry-run']) return;
  if (renewed_by !== 'certbot') {
    warn(
      'certbot does not know the certificate there, so nobody renews it; --force-renewal gets one that it does',
    );
    return;
  }
  if (schedule === 'off')
    warn('certbot does not run by itself on the proxy; there, as root: systemctl enable --now certbot.timer');
  if (authenticator !== 'webroot' || (webroot && webroot !== '/var/www/certbot'))
    warn(
      `certbot renews by ${authenticator} ${webroot ?? ''}, which this site may not serve; --force-renewal changes that`,
    );
}

function describe(certificate: Certificate | undefined): string {
  if (!certificate) return 'no certificate';
  const { kind, until } = certificate;
  return `the certificate is ${KINDS[kind]}, valid until ${dayOf(until)} (${daysLeft(certificate, new Date())} days)`;
}

const note = (way: Way, text: string): void => way.context.report.tell({ kind: 'note', text });
