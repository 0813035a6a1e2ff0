/** One host and the programs that bootstrap runs there: its account grows by each, and the first failure ends the session. */
import { withOrderCode } from '../../diagnosis/diagnose.ts';
import {
  CERTIFICATE_KINDS,
  type Certificate,
  dayOf,
  daysLeft,
  readCertificate,
} from '../../model/certificate.ts';
import type { CertificateRequest } from '../../model/certificate-request.ts';
import type { Failure, HostReport } from '../../model/host-report.ts';
import { isDone, mergeReports } from '../../model/host-report.ts';
import type { Program } from '../../model/run.ts';
import type { Remote } from '../../remote/transact.ts';
import { SshError } from '../../util/errors.ts';
import { runProgram } from '../apply.ts';
import type { Context } from '../context.ts';

export interface BootstrapSession {
  readonly context: Context;
  readonly request: CertificateRequest;
  readonly remote: Remote;
  account: HostReport;
}

/** Runs one program and adds its account; false when it failed. What was done before it stays told. */
export async function runStep(session: BootstrapSession, program: Program, changes = true): Promise<boolean> {
  try {
    const report = await runProgram(session.context, session.remote, program, changes);
    session.account = mergeReports(
      session.account,
      report.failure ? { ...report, failure: withOrderCode(report.failure) } : report,
    );
    return isDone(report);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    return fail(session, { code: 'ssh', text: error.message, advice: error.advice });
  }
}

/** Ends the session for a reason that was found from here. */
export function fail(session: BootstrapSession, failure: Failure): false {
  session.account = { ...session.account, outcome: 'failed', failure };
  return false;
}

/** Ends the way before anything was changed. */
export function refuse(way: BootstrapSession, failure: Failure): false {
  way.account = { ...way.account, outcome: 'refused', failure };
  return false;
}

/** The certificate on the host, as far as it was told. */
export const currentCertificate = ({ account }: BootstrapSession): Certificate | undefined =>
  readCertificate(account.certificate);

export const note = ({ context, remote: { host } }: BootstrapSession, text: string): void =>
  context.report.tell({ kind: 'note', host, text });

/** The certificate there, for people. */
export function describeCertificate(session: BootstrapSession): string {
  const certificate = currentCertificate(session);
  if (!certificate) return 'there is no certificate';
  const { kind, until } = certificate;
  return `the certificate is ${CERTIFICATE_KINDS[kind]}, valid until ${dayOf(until)} (${daysLeft(certificate, new Date())} days)`;
}

/** The summary's words for a host that was not brought to the whole site, though something came of it. */
export function noteWhatServes({ account }: BootstrapSession, came: string): void {
  if (!['failed', 'refused', 'rolled-back'].includes(account.outcome)) return;
  const serves =
    account.facts.vhost === 'http-only'
      ? 'the HTTP-only vhost is in place and answers the challenge path'
      : 'what was served before still is';
  account.meaning = `${came}; ${serves}`;
}
