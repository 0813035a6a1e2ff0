/** What a dry run would change, as unified diffs. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { HostReport } from './outcome.ts';
import type { Report } from './report.ts';

/** Tells the diff of every file that would change; tokens are fingerprints already when they come from the host. */
export function tellDiffs(hosts: readonly HostReport[], report: Report): void {
  for (const { host, texts } of hosts) {
    for (const [path, { before, after }] of texts) {
      report.tell({
        kind: 'diff',
        text: createTwoFilesPatch(path, path, before, after, `on ${host}`, 'wanted', {
          headerOptions: FILE_HEADERS_ONLY,
        }),
      });
    }
  }
}
