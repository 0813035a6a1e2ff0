/** The page of verify.ts --html FILE: checked before any connection, written at the end. */
import type { HostReport } from '../model/host-report.ts';
import type { PageFile } from '../output/html/page-file.ts';
import { EXIT } from '../util/errors.ts';
import type { Context, Result } from './context.ts';
import { titleOf } from './verify.ts';

/**
 * The file for the page; undefined without the flag.
 * @throws UsageError when FILE cannot be written
 */
export async function openPage({ flags }: Context): Promise<PageFile | undefined> {
  if (flags.html === undefined) return undefined;
  const { openFile } = await import('../output/html/page-file.ts');
  return openFile(flags.html);
}

/** Writes the page if there is one; the result has its path, or that it could not be written. */
export async function writePage(
  context: Context,
  page: PageFile | undefined,
  { hosts, result }: { readonly hosts: readonly HostReport[]; readonly result: Result },
): Promise<Result> {
  if (!page) return result;
  try {
    await page.write(await textOf(context, hosts));
  } catch (error) {
    const message = `${context.flags.html} cannot be written: ${(error as Error).message}`;
    const advice = 'The checks were run nevertheless. Fix the file or its directory, then retry.';
    context.report.print({ kind: 'problem', message, advice });
    return { exit: EXIT.refused, json: { ...result.json, error: { message, advice } } };
  }
  context.report.print({ kind: 'note', text: `the page is ${page.path}` });
  return { ...result, json: { ...result.json, html: page.path } };
}

async function textOf(context: Context, hosts: readonly HostReport[]): Promise<string> {
  const [{ contentOf }, { documentText }] = await Promise.all([
    import('../output/html/content.ts'),
    import('../output/html/document.ts'),
  ]);
  const all = hosts.map(({ host: name, milliseconds, checks = [], failure }) => ({
    name,
    title: titleOf(context, name),
    milliseconds,
    checks,
    failure,
  }));
  return documentText(contentOf(context.site, context.report, all));
}
