/** The way of one host to a good certificate and the full site. */

import { certificateFault } from '../../model/certificate.ts';
import type { CertificateRequest } from '../../model/certificate-request.ts';
import type { Failure, HostReport } from '../../model/host-report.ts';
import { isDone } from '../../model/host-report.ts';
import { renewalFaults, renewalOf } from '../../model/renewal.ts';
import type { Program } from '../../model/run.ts';
import {
  inspectProgram,
  issueProgram,
  selfSignedName,
  selfSignedProgram,
} from '../../program/certificate-programs.ts';
import type { Remote } from '../../remote/transact.ts';
import { reconnecting } from '../../remote/transact.ts';
import { runProgram } from '../apply.ts';
import type { Context } from '../context.ts';
import type { Deploy } from '../deploy.ts';
import { orderCertificate } from './acme-order.ts';
import {
  type BootstrapSession,
  currentCertificate,
  describeCertificate,
  note,
  noteWhatServes,
  refuse,
  runStep,
} from './session.ts';

/** Everything that needs no look at a host, made before one is contacted. */
export interface Plan extends Deploy {
  /** The HTTP-only vhost, where an order may want it. */
  readonly httpOnly?: Program;
}

/** Brings a host to a good certificate and the full site; where it gets none, says why. */
export async function bootstrap(
  context: Context,
  wish: CertificateRequest,
  plan: Plan,
  remote: Remote,
): Promise<HostReport> {
  const account = await runProgram(context, remote, await inspectProgram(context.site), false);
  const way: BootstrapSession = { context, request, remote: reconnecting(remote), account };
  try {
    if (!isDone(account) || !(await hasCertificate(way, plan))) return way.account;
    if (wish.method === 'order') warnOfRenewal(way);
    await deployWhole(way, plan);
    return way.account;
  } finally {
    recordCertificate(way);
    way.remote.close();
  }
}

async function deployWhole(way: BootstrapSession, { run, program }: Plan): Promise<void> {
  const hasChanged = way.account.outcome === 'applied';
  const isWhole = await runStep(way, { id: run.id, text: program }, !way.context.flags['dry-run']);
  if (!isWhole && hasChanged) noteWhatServes(way, 'the certificate is there, the whole site is not');
}

/** Sees to a good certificate on the host; false when there is none in the end. */
async function hasCertificate(way: BootstrapSession, { httpOnly }: Plan): Promise<boolean> {
  const { context } = way;
  const why = reason(way);
  if (why === '') {
    note(way, `${describeCertificate(way)}; no new one is needed`);
    return fixHook(way);
  }
  const obstacle = obstacleOf(way);
  if (obstacle) return refuse(way, obstacle);
  note(way, `${why}: ${context.flags['dry-run'] ? 'a new one would be made' : 'a new one is made'}`);
  if (context.flags['dry-run']) return true;
  return httpOnly ? orderCertificate(way, httpOnly) : selfSign(way);
}

/** What forbids a new certificate, as lib/program/sh/lineage.sh found it; only an order loses names. */
function obstacleOf({ request, account }: BootstrapSession): Failure | undefined {
  const [found] = account.rows.obstacle ?? [];
  const [code = '', text = '', advice = ''] = found ?? [];
  return found && (code === 'linked' || request.method === 'order') ? { code, text, advice } : undefined;
}

/** Why a new certificate is wanted; empty when it is not. */
function reason(way: BootstrapSession): string {
  const { request, account, remote } = way;
  const certificate = currentCertificate(way);
  if (certificate && account.facts.key === 'other') return 'the key there is not that of the certificate';
  if (certificate && account.facts.key !== 'yes') return 'the key of the certificate there is missing';
  if (request.force) return '--force-renewal';
  if (request.staging && certificate?.kind !== 'staging') return '--staging';
  const name = selfSignedName(way.context.site, remote.host);
  return certificateFault(
    certificate,
    name,
    ACCEPTED[request.staging ? 'staging' : request.method],
    new Date(),
  );
}

const ACCEPTED = { order: ['ca'], staging: ['staging'], 'self-signed': ['ca', 'self-signed'] } as const;

/** A hook that is missing or old is put right, and nginx made to serve what certbot may have renewed without it. */
async function fixHook(way: BootstrapSession): Promise<boolean> {
  const { facts } = way.account;
  if (way.request.method === 'self-signed' || way.context.flags['dry-run']) return true;
  if (facts.renewed_by !== 'certbot' || facts.hook === 'yes') return true;
  return runStep(way, await issueProgram(way.context.site, 'none', way.request));
}

async function selfSign(way: BootstrapSession): Promise<boolean> {
  if (!(await runStep(way, await selfSignedProgram(way.context.site, way.remote.host)))) return false;
  note(way, `${describeCertificate(way)}, signed by the proxy itself; clients must be told to trust it`);
  return true;
}

/** What would let the certificate run out unnoticed. */
function warnOfRenewal({ context, account, remote: { host } }: BootstrapSession): void {
  if (account.certificate === undefined) return;
  for (const text of renewalFaults(renewalOf(account.facts)))
    context.report.tell({ kind: 'warning', host, text });
}

/** For --json. */
function recordCertificate(way: BootstrapSession): void {
  const certificate = currentCertificate(way);
  if (!certificate) return;
  Object.assign(way.account.facts, {
    certificate_kind: certificate.kind,
    certificate_until: certificate.until.toISOString(),
    certificate_sha256: certificate.fingerprint,
  });
}
