/** One host while bootstrap-tls gets a good certificate for it and deploys the full site. */
import { withOrderCode } from '../../diagnosis/diagnose.ts';
import type { CertificateRequest } from '../../model/certbot.ts';
import { CERTIFICATE_KINDS, dayOf, readCertificate, timeText } from '../../model/certificate.ts';
import {
  type Failure,
  failedReport,
  type HostReport,
  isDone,
  mergeReports,
  newReport,
  withVerdict,
} from '../../model/host-report.ts';
import type { Program } from '../../model/run.ts';
import { SshError } from '../../util/errors.ts';
import type { Context } from '../context.ts';
import type { DeployPlan } from '../deploy.ts';
import type { RolloutProxy } from '../rollout.ts';

/** Everything that is known before the connection to a host. */
export interface BootstrapPlan {
  readonly request: CertificateRequest;
  /** The HTTP-only vhost, where an order may want it. */
  readonly httpOnly?: Program;
  /** The same, for a host where the full vhost is still there under an earlier name. */
  readonly httpOnlyBeside?: Program;
  readonly deploy: DeployPlan;
}

/** The report of a host grows step by step; after the first failure, the steps that follow do nothing. */
export class BootstrapSession {
  /** How the host gets a good certificate, once that is decided. */
  need: 'none' | CertificateRequest['method'] = 'none';
  readonly context: Context;
  readonly proxy: RolloutProxy;
  readonly plan: BootstrapPlan;
  #report: HostReport;

  constructor(context: Context, proxy: RolloutProxy, plan: BootstrapPlan, report: HostReport) {
    this.context = context;
    this.proxy = proxy;
    this.plan = plan;
    this.#report = report;
  }

  get report(): HostReport {
    return this.#report;
  }

  get isGoing(): boolean {
    return isDone(this.#report);
  }

  /** The certificate on the host, as far as it was reported. */
  get certificate() {
    return readCertificate(this.#report.certificate);
  }

  /** Runs a program that changes the host. */
  apply = (program: Program): Promise<void> => this.#run(() => this.proxy.apply(program));

  /** Runs a program that changes nothing that is served. */
  read = (program: Program): Promise<void> => this.#run(() => this.proxy.read(program));

  async #run(run: () => Promise<HostReport>): Promise<void> {
    try {
      const report = await run();
      const failure = report.failure && withOrderCode(report.failure);
      this.add(failure ? { ...report, failure } : report);
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      this.fail({ code: 'ssh', text: error.message, advice: error.advice });
    }
  }

  /** Merges the report of a step into that of the earlier ones. */
  add(then: Partial<HostReport>): void {
    const { host, outcome } = this.#report;
    this.#report = mergeReports(this.#report, { ...newReport(host), outcome, ...then });
  }

  /** Ends the session for a reason that was found on this machine; `refused`: before anything was changed. */
  fail(failure: Failure, outcome: 'failed' | 'refused' = 'failed'): void {
    this.#report = failedReport(this.#report, failure, outcome);
  }

  /** Reports the result of a session that failed halfway, and what is served now. */
  explain(came: string): void {
    if (!['failed', 'refused', 'rolled-back'].includes(this.#report.outcome)) return;
    const serves =
      this.#report.facts.vhost === 'http-only'
        ? 'the HTTP-only vhost is in place and answers the challenge path'
        : 'the previous configuration is still active';
    this.#report = withVerdict(this.#report, { meaning: `${came}; ${serves}` });
  }

  note(text: string): void {
    this.context.report.print({ kind: 'note', host: this.proxy.host, text });
  }

  warn(text: string): void {
    this.context.report.print({ kind: 'warning', host: this.proxy.host, text });
  }

  /** The certificate there, for people. */
  describeCertificate(): string {
    const { certificate } = this;
    if (!certificate) return 'there is no certificate';
    const { kind, until } = certificate;
    return `the certificate is ${CERTIFICATE_KINDS[kind]}, valid until ${dayOf(until)} (${timeText(until, new Date())})`;
  }
}
