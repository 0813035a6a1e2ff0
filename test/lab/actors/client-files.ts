/** Files of the gate's clients in the current format, and in that of the previous release. */
import { escapeToken, type Scope } from '../../../lib/model/bearer.ts';
import * as lines from '../../../lib/nginx/client-map.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { exactLine, type Grant, hashedLine, liveName, OLD_KEY_END } from './client-lines.ts';

export const DOLLAR = 'ia_enso_dollar';
export const BEARERS = '/etc/nginx/ia-enso-bearers';
export const LIVE = '/etc/nginx/ia-enso-live';

export interface ClientFile extends Partial<Omit<Grant, 'client' | 'scope'>> {
  readonly name: string;
  readonly scope: Scope;
  readonly tokens: readonly string[];
}

const WHEN = '2026-11-22T17:40:35Z';

const head = (name: string): string =>
  `${lines.HEADER_START}${name}${lines.HEADER_END}\n${lines.CREATED_MARK} ${WHEN}\n${lines.ROTATED_MARK} ${WHEN}\n`;

/** The file of a client, and the names of the files that make its tokens live; `taken` are the keys of other clients. */
export function clientFileText({ name, tokens, ...grant }: ClientFile, taken = new Set<string>()) {
  const own = { ...grant, client: name };
  const texts = tokens.map((text) => {
    const token = new Secret(text);
    const [key, line] = [text.slice(0, lines.KEY_SIZE).toLowerCase(), hashedLine(token, own, DOLLAR)];
    if (taken.has(key) || line.length > lines.LINE_SIZE) return exactLine(token, own);
    taken.add(key);
    return line;
  });
  return {
    text: head(name) + texts.join(''),
    live: tokens.map((text) => liveName(new Secret(text), own)),
  };
}

/** As the release before wrote it: a regex for each token. */
export function oldClientText({ name, scope, tokens, limit }: ClientFile): string {
  const grant = `${scope}:${name}${limit ? `:${limit}` : ''}`;
  const texts = tokens.map(
    (token) => `${lines.OLD_KEY_START}${escapeToken(token)}${OLD_KEY_END} ${grant};\n`,
  );
  return head(name) + texts.join('');
}
