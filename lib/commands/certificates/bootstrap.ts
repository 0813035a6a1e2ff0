/** Brings one host to a good certificate and the full site. */
import { certificateFault } from '../../model/certificate.ts';
import type { CertificateRequest } from '../../model/certificate-request.ts';
import { failureCode } from '../../model/contract.ts';
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
  request: CertificateRequest,
  plan: Plan,
  remote: Remote,
): Promise<HostReport> {
  const account = await runProgram(context, remote, await inspectProgram(context.site), false);
  const session: BootstrapSession = { context, request, remote: reconnecting(remote), account };
  try {
    if (!isDone(account) || !(await hasCertificate(session, plan))) return session.account;
    if (request.method === 'order') warnOfRenewal(session);
    await deployWhole(session, plan);
    return session.account;
  } finally {
    recordCertificate(session);
    session.remote.close();
  }
}

async function deployWhole(session: BootstrapSession, { run, program }: Plan): Promise<void> {
  const hasChanged = session.account.outcome === 'applied';
  const isWhole = await runStep(session, { id: run.id, text: program }, !session.context.flags['dry-run']);
  if (!isWhole && hasChanged) noteWhatServes(session, 'the certificate is there, the whole site is not');
}

/** Sees to a good certificate on the host; false when there is none in the end. */
async function hasCertificate(session: BootstrapSession, { httpOnly }: Plan): Promise<boolean> {
  const { context } = session;
  const why = reason(session);
  if (why === '') {
    note(session, `${describeCertificate(session)}; no new one is needed`);
    return fixHook(session);
  }
  const obstacle = obstacleOf(session);
  if (obstacle) return refuse(session, obstacle);
  note(session, `${why}: ${context.flags['dry-run'] ? 'a new one would be made' : 'a new one is made'}`);
  if (context.flags['dry-run']) return true;
  return httpOnly ? orderCertificate(session, httpOnly) : selfSign(session);
}

/** What forbids a new certificate, as lib/program/sh/lineage.sh found it; only an order loses names. */
function obstacleOf({ request, account }: BootstrapSession): Failure | undefined {
  const [found] = account.rows.obstacle ?? [];
  if (!found) return undefined;
  const [word = '', text = '', advice = ''] = found;
  const code = failureCode(word);
  return code === 'linked' || request.method === 'order' ? { code, text, advice } : undefined;
}

/** Why a new certificate is wanted; empty when it is not. */
function reason(session: BootstrapSession): string {
  const { request, account, remote } = session;
  const certificate = currentCertificate(session);
  if (certificate && account.facts.key === 'other') return 'the key there is not that of the certificate';
  if (certificate && account.facts.key !== 'yes') return 'the key of the certificate there is missing';
  if (request.force) return '--force-renewal';
  if (request.staging && certificate?.kind !== 'staging') return '--staging';
  const name = selfSignedName(session.context.site, remote.host);
  return certificateFault(
    certificate,
    name,
    ACCEPTED[request.staging ? 'staging' : request.method],
    new Date(),
  );
}

const ACCEPTED = { order: ['ca'], staging: ['staging'], 'self-signed': ['ca', 'self-signed'] } as const;

/** A hook that is missing or old is put right, and nginx made to serve what certbot may have renewed without it. */
async function fixHook(session: BootstrapSession): Promise<boolean> {
  const { facts } = session.account;
  if (session.request.method === 'self-signed' || session.context.flags['dry-run']) return true;
  if (facts.renewed_by !== 'certbot' || facts.hook === 'yes') return true;
  return runStep(session, await issueProgram(session.context.site, 'none', session.request));
}

async function selfSign(session: BootstrapSession): Promise<boolean> {
  if (!(await runStep(session, await selfSignedProgram(session.context.site, session.remote.host))))
    return false;
  note(
    session,
    `${describeCertificate(session)}, signed by the proxy itself; clients must be told to trust it`,
  );
  return true;
}

/** What would let the certificate run out unnoticed. */
function warnOfRenewal({ context, account, remote: { host } }: BootstrapSession): void {
  if (account.certificate === undefined) return;
  for (const text of renewalFaults(renewalOf(account.facts)))
    context.report.tell({ kind: 'warning', host, text });
}

/** For --json. */
function recordCertificate(session: BootstrapSession): void {
  const certificate = currentCertificate(session);
  if (!certificate) return;
  Object.assign(session.account.facts, {
    certificate_kind: certificate.kind,
    certificate_until: certificate.until.toISOString(),
    certificate_sha256: certificate.fingerprint,
  });
}
