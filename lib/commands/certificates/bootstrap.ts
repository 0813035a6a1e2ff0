/** The way of one host to a good certificate and the full site. */

import { whyNot } from '../../model/certificate.ts';
import type { Failure, HostReport } from '../../model/host-report.ts';
import { renewalFaults, renewalOf } from '../../model/renewal.ts';
import {
  issueProgram,
  lookProgram,
  selfSignedName,
  selfSignedProgram,
} from '../../program/certificate-programs.ts';
import { lasting } from '../../remote/reconnecting.ts';
import type { Program, Remote } from '../../remote/transact.ts';
import { runOn } from '../apply.ts';
import type { Context } from '../context.ts';
import type { Deploy } from '../deploy.ts';
import { isDone } from '../views/summary.ts';
import { order } from './acme-order.ts';
import type { Wish } from './options.ts';
import { current, described, note, perform, refuse, sayWhatServes, type Way } from './session.ts';

/** Everything that needs no look at a host, made before one is contacted. */
export interface Plan extends Deploy {
  /** The HTTP-only vhost, where an order may want it. */
  readonly httpOnly?: Program;
}

/** Brings a host to a good certificate and the full site; where it gets none, says why. */
export async function bootstrap(
  context: Context,
  wish: Wish,
  plan: Plan,
  remote: Remote,
): Promise<HostReport> {
  const account = await runOn(context, remote, await lookProgram(context.site), false);
  const way: Way = { context, wish, remote: lasting(remote), account };
  try {
    if (!isDone(account) || !(await hasCertificate(way, plan))) return way.account;
    if (wish.way === 'order') warnOfRenewal(way);
    await deployWhole(way, plan);
    return way.account;
  } finally {
    sayCertificate(way);
    way.remote.close();
  }
}

async function deployWhole(way: Way, { run, program }: Plan): Promise<void> {
  const hasChanged = way.account.outcome === 'applied';
  const isWhole = await perform(way, { id: run.id, text: program }, !way.context.flags['dry-run']);
  if (!isWhole && hasChanged) sayWhatServes(way, 'the certificate is there, the whole site is not');
}

/** Sees to a good certificate on the host; false when there is none in the end. */
async function hasCertificate(way: Way, { httpOnly }: Plan): Promise<boolean> {
  const { context } = way;
  const why = reason(way);
  if (why === '') {
    note(way, `${described(way)}; no new one is needed`);
    return mendHook(way);
  }
  const obstacle = obstacleOf(way);
  if (obstacle) return refuse(way, obstacle);
  note(way, `${why}: ${context.flags['dry-run'] ? 'a new one would be made' : 'a new one is made'}`);
  if (context.flags['dry-run']) return true;
  return httpOnly ? order(way, httpOnly) : sign(way);
}

/** What forbids a new certificate, as lib/program/sh/lineage.sh found it; only an order loses names. */
function obstacleOf({ wish, account }: Way): Failure | undefined {
  const [found] = account.rows.obstacle ?? [];
  const [code = '', text = '', advice = ''] = found ?? [];
  return found && (code === 'linked' || wish.way === 'order') ? { code, text, advice } : undefined;
}

/** Why a new certificate is wanted; empty when it is not. */
function reason(way: Way): string {
  const { wish, account, remote } = way;
  const certificate = current(way);
  if (certificate && account.facts.key === 'other') return 'the key there is not that of the certificate';
  if (certificate && account.facts.key !== 'yes') return 'the key of the certificate there is missing';
  if (wish.force) return '--force-renewal';
  if (wish.staging && certificate?.kind !== 'staging') return '--staging';
  const name = selfSignedName(way.context.site, remote.host);
  return whyNot(certificate, name, ACCEPTED[wish.staging ? 'staging' : wish.way], new Date());
}

const ACCEPTED = { order: ['ca'], staging: ['staging'], 'self-signed': ['ca', 'self-signed'] } as const;

/** A hook that is missing or old is put right, and nginx made to serve what certbot may have renewed without it. */
async function mendHook(way: Way): Promise<boolean> {
  const { facts } = way.account;
  if (way.wish.way === 'self-signed' || way.context.flags['dry-run']) return true;
  if (facts.renewed_by !== 'certbot' || facts.hook === 'yes') return true;
  return perform(way, await issueProgram(way.context.site, 'none', way.wish));
}

async function sign(way: Way): Promise<boolean> {
  if (!(await perform(way, await selfSignedProgram(way.context.site, way.remote.host)))) return false;
  note(way, `${described(way)}, signed by the proxy itself; clients must be told to trust it`);
  return true;
}

/** What would let the certificate run out unnoticed. */
function warnOfRenewal({ context, account, remote: { host } }: Way): void {
  if (account.certificate === undefined) return;
  for (const text of renewalFaults(renewalOf(account.facts)))
    context.report.tell({ kind: 'warning', host, text });
}

/** For --json. */
function sayCertificate(way: Way): void {
  const certificate = current(way);
  if (!certificate) return;
  Object.assign(way.account.facts, {
    certificate_kind: certificate.kind,
    certificate_until: certificate.until.toISOString(),
    certificate_sha256: certificate.fingerprint,
  });
}
