/** What a dry run would change, as unified diffs. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { HostReport } from '../../model/host-report.ts';
import type { Report } from '../../output/report.ts';
import { alike, shortList } from '../../util/collections.ts';

interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Tells the diff of every file that would change, once where it is the same on several hosts.
 * Tokens are fingerprints already when they come from the host.
 */
export function tellDiffs(hosts: readonly HostReport[], report: Report): void {
  const all = hosts.flatMap(({ host, texts }) =>
    [...texts].map(([path, text]) => [host, { path, ...text }] as const),
  );
  for (const {
    what,
    hosts: [first = '', ...others],
  } of alike(all)) {
    report.tell({ kind: 'diff', text: diff(what, first) });
    if (others.length > 0) report.tell({ kind: 'note', text: `the same on ${shortList(others)}` });
  }
}

const diff = ({ path, before, after }: Change, host: string): string =>
  createTwoFilesPatch(path, path, before, after, `on ${host}`, 'wanted', {
    headerOptions: FILE_HEADERS_ONLY,
  }).trimEnd();
