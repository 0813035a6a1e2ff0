/** One host on its way through several programs: its account grows by each, and the first failure ends it. */

import { typed } from '../../diagnosis/diagnose.ts';
import { type Certificate, dayOf, daysLeft, KINDS, readCertificate } from '../../model/certificate.ts';
import type { Failure, HostReport } from '../../model/host-report.ts';
import { joined } from '../../remote/reconnecting.ts';
import type { Program, Remote } from '../../remote/transact.ts';
import { SshError } from '../../util/errors.ts';
import { runOn } from '../apply.ts';
import type { Context } from '../context.ts';
import { isDone } from '../views/summary.ts';
import type { Wish } from './options.ts';

export interface Way {
  readonly context: Context;
  readonly wish: Wish;
  readonly remote: Remote;
  account: HostReport;
}

/** Runs one program and adds its account; false when it failed. What was done before it stays told. */
export async function perform(way: Way, program: Program, changes = true): Promise<boolean> {
  try {
    const report = await runOn(way.context, way.remote, program, changes);
    way.account = joined(
      way.account,
      report.failure ? { ...report, failure: typed(report.failure) } : report,
    );
    return isDone(report);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    return fail(way, { code: 'ssh', text: error.message, advice: error.advice });
  }
}

/** Ends the way for a reason that was found from here. */
export function fail(way: Way, failure: Failure): false {
  way.account = { ...way.account, outcome: 'failed', failure };
  return false;
}

/** Ends the way before anything was changed. */
export function refuse(way: Way, failure: Failure): false {
  way.account = { ...way.account, outcome: 'refused', failure };
  return false;
}

/** The certificate on the host, as far as it was told. */
export const current = ({ account }: Way): Certificate | undefined => readCertificate(account.certificate);

export const note = ({ context, remote: { host } }: Way, text: string): void =>
  context.report.tell({ kind: 'note', host, text });

/** The certificate there, for people. */
export function described(way: Way): string {
  const certificate = current(way);
  if (!certificate) return 'there is no certificate';
  const { kind, until } = certificate;
  return `the certificate is ${KINDS[kind]}, valid until ${dayOf(until)} (${daysLeft(certificate, new Date())} days)`;
}

/** The summary's words for a host that was not brought to the whole site, though something came of it. */
export function sayWhatServes({ account }: Way, came: string): void {
  if (!['failed', 'refused', 'rolled-back'].includes(account.outcome)) return;
  const serves =
    account.facts.vhost === 'http-only'
      ? 'the HTTP-only vhost is in place and answers the challenge path'
      : 'what was served before still is';
  account.meaning = `${came}; ${serves}`;
}
