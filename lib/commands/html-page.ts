/** The page that `--html FILE` asks for: refused before anything is contacted, written when all is known. */
import type { VerifiedHost } from '../model/host-report.ts';
import { EXIT } from '../util/errors.ts';
import type { Context, Result } from './context.ts';

/** Takes what was found and how the run ended; gives how it ends with the page. */
type WritePage = (hosts: readonly VerifiedHost[], result: Result) => Promise<Result>;

/**
 * What writes the page; without the flag, what writes none.
 * @throws UsageError when FILE cannot be written
 */
export async function htmlPageWriter(context: Context): Promise<WritePage> {
  const { html: file } = context.flags;
  if (file === undefined) return async (_, result) => result;
  const { openFile } = await import('../output/html/page-file.ts');
  const { path, write } = await openFile(file);
  return async (hosts, result) => {
    const text = await textOf(context, hosts);
    try {
      await write(text);
    } catch (error) {
      return notWritten(context, result, `${file} cannot be written: ${(error as Error).message}`);
    }
    context.report.tell({ kind: 'note', text: `the page is ${path}` });
    return { ...result, json: { ...result.json, html: path } };
  };
}

async function textOf(context: Context, hosts: readonly VerifiedHost[]): Promise<string> {
  const { contentOf } = await import('../output/html/content.ts');
  const { documentText } = await import('../output/html/document.ts');
  return documentText(contentOf(context.site, context.report, hosts));
}

/** What the checks found stays told, here and in the JSON. */
function notWritten({ report }: Context, { json }: Result, message: string): Result {
  const advice = 'The checks were made all the same. Mend the file or its directory, then run it again.';
  report.tell({ kind: 'problem', message, advice });
  return { exit: EXIT.refused, json: { ...json, error: { message, advice } } };
}
