/** Client files of the gate, in the current format and in the previous release's. */
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

const TIMESTAMP = '2026-11-22T17:40:35Z';

const header = (name: string): string =>
  `${lines.HEADER_START}${name}${lines.HEADER_END}\n${lines.CREATED_MARK} ${TIMESTAMP}\n${lines.ROTATED_MARK} ${TIMESTAMP}\n`;

/**
 * The text of a client's file, and the names of the files that activate its tokens; `takenKeys`: keys of other clients.
 */
export function clientFileText({ name, tokens, ...grant }: ClientFile, takenKeys = new Set<string>()) {
  const grantOfClient = { ...grant, client: name };
  const tokenLines = tokens.map((text) => {
    const token = new Secret(text);
    const [key, line] = [
      text.slice(0, lines.KEY_SIZE).toLowerCase(),
      hashedLine(token, grantOfClient, DOLLAR),
    ];
    if (takenKeys.has(key) || line.length > lines.LINE_SIZE) return exactLine(token, grantOfClient);
    takenKeys.add(key);
    return line;
  });
  return {
    text: header(name) + tokenLines.join(''),
    live: tokens.map((text) => liveName(new Secret(text), grantOfClient)),
  };
}

/** In the previous release's format: one regex per token. */
export function oldClientText({ name, scope, tokens, limit }: ClientFile): string {
  const grant = `${scope}:${name}${limit ? `:${limit}` : ''}`;
  const texts = tokens.map(
    (token) => `${lines.OLD_KEY_START}${escapeToken(token)}${OLD_KEY_END} ${grant};\n`,
  );
  return header(name) + texts.join('');
}
