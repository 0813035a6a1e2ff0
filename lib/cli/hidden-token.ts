/** In CI, the output is kept and others can read it: a new token is shown only with --show-token. */
import { DEFAULT_CLIENT } from '../model/bearer.ts';
import type { Report } from '../output/report.ts';

type Json = Readonly<Record<string, unknown>>;

/** The report, saying how to get a token instead of showing one. */
export const hidingTokens = (report: Report): Report => ({
  ...report,
  showToken: (client) => report.print({ kind: 'warning', text: hiddenText(client) }),
});

/** The document without its token, which is reported as hidden. */
export function withoutToken(json: Json, { print }: Pick<Report, 'print'>): Json {
  const { token, client, ...rest } = json;
  if (token === undefined) return json;
  const name = typeof client === 'string' ? client : DEFAULT_CLIENT;
  print({ kind: 'warning', text: hiddenText(name) });
  return { ...rest, ...(client !== undefined && { client }), tokenHidden: true };
}

function hiddenText(client: string): string {
  const hidden = `the new token of client ${client} is hidden, because CI is set and its output is kept (--show-token shows it)`;
  if (process.argv.includes('--write-env')) return `${hidden}; it is in the env file`;
  if (client !== DEFAULT_CLIENT)
    return `${hidden}; to get one, outside of CI: \`npx tsx scripts/rotate-bearer.ts --client ${client}\``;
  return `${hidden}; to get one, outside of CI: \`npx tsx scripts/rotate-bearer.ts --write-env\`, or set the token in the settings and deploy`;
}
