/** The content of the page, as plain data without secrets. */
import type { CheckResult } from '../../model/check.ts';
import type { Failure } from '../../model/host-report.ts';
import { newRun } from '../../model/run.ts';
import { type Site, titleOf } from '../../model/site.ts';
import type { Report } from '../report.ts';

export interface PageContent {
  readonly site: string;
  /** `2026-11-22T17:40:35Z` */
  readonly made: string;
  /** Who ran the checks, and on which machine. */
  readonly who: string;
  readonly hosts: readonly PageHost[];
}

/** A proxy, or the public name, with its checks. */
export interface PageHost {
  readonly name: string;
  /** `Checks of https://… from here` */
  readonly title: string;
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly checks: readonly CheckResult[];
  /** Why it was not reached. */
  readonly failure?: Failure | undefined;
}

/** All results, with every text cleaned like the report. */
export function contentOf(
  site: Pick<Site, 'name' | 'serverName' | 'defaultName'>,
  { clean }: Pick<Report, 'clean'>,
  hosts: readonly PageHost[],
): PageContent {
  const { now, who } = newRun();
  return cleaned({ site: titleOf(site), made: now, who, hosts }, clean);
}

/** Runs before HTML escaping: an escaped token would not be recognized. */
function cleaned(content: PageContent, clean: (text: string) => string): PageContent {
  const text = JSON.stringify(content, (_, value) => (typeof value === 'string' ? clean(value) : value));
  return JSON.parse(text) as PageContent;
}
