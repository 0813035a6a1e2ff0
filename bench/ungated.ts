/** The vhost of a proxy without its gate: same TLS, upstream, buffering, headers and log, but no token check. */
import { readFile } from 'node:fs/promises';
import { inline } from '../lib/nginx/template.ts';
import { CHECKOUT } from '../test/lab/namespaces/process.ts';

const LOCATION = '    location ^~ /ollama/ {';

/** A location with a response like the gate's to an unknown token, but without any lookup. */
const REFUSAL = `    location = /refused {
        add_header Strict-Transport-Security "max-age=63072000" always;
        add_header WWW-Authenticate Bearer always;
        add_header X-Should-Retry false always;
        add_header X-Request-Id $request_id always;
        types { }
        default_type application/json;
        return 401 '{"error":{"message":"Missing or unknown bearer token. Send it as Authorization: Bearer TOKEN, or as X-Api-Key: TOKEN","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}\\n';
    }

`;

/**
 * Replaces the `gate` snippet of `vhost` with `rest`, removes the client from the log format, and adds `/refused`.
 * @throws Error unless each replaced text occurs exactly once
 */
export function withoutGate(vhost: string, gate: string, rest: string): string {
  const at = (text: string) => inline('        include snippets/it;\n', { it: text });
  return [
    [at(gate), at(rest)],
    [' $ia_enso_ollama_client ', ' - '],
    [LOCATION, REFUSAL + LOCATION],
  ].reduce((text, [old = '', next = '']) => replacedOnce(text, old, next), vhost);
}

/** The same with the snippets of this checkout. */
export async function ungated(vhost: string): Promise<string> {
  const files = ['sites/snippets/gate.conf', 'bench/rivals/ungated.conf'];
  const [gate = '', rest = ''] = await Promise.all(
    files.map((file) => readFile(`${CHECKOUT}/${file}`, 'utf8')),
  );
  return withoutGate(vhost, gate, rest);
}

function replacedOnce(text: string, old: string, next: string): string {
  const [before = '', after, ...more] = text.split(old);
  if (after === undefined || more.length > 0)
    throw new Error(`the vhost does not have once: ${old.slice(0, 200)}`);
  return before + next + after;
}
