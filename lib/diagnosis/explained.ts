/** A host's account with what its failure means; the table of failures is loaded only for that. */
import type { HostReport } from '../model/host-report.ts';

/** The account with its failure explained, where it has one. */
export async function explained(report: HostReport): Promise<HostReport> {
  const { failure } = report;
  if (!failure) return report;
  const { explain } = await import('./diagnose.ts');
  return { ...report, failure: { ...failure, ...explain(failure) } };
}
