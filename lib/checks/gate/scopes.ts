/** A client of scope `inference` may use models, and not delete them. */
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { type Answer, isHtml, type RequestOptions, sendRequest } from '../http/request.ts';
import { noToken } from './bearer-gate.ts';

interface Scopes {
  /** Deletes a model; asked for with a body that names none. */
  readonly deletes: string;
  /** Lists the models. */
  readonly models: string;
  /** The setting that holds a token of that scope, as the operator knows it. */
  readonly tokenVariable: string;
}

/** Gets 403 where a model would be deleted, and in where models are listed. */
export function inferenceScope(scopes: Scopes): Check {
  const byHand = [bearerOption(scopes.tokenVariable), "-d '{}'"];
  return {
    name: 'inference scope',
    run: (target) => check(scopes, target),
    curl: (target) => curl(target, { path: scopes.deletes }, '-i', '-X DELETE', ...byHand),
  };
}

async function check({ deletes, models, tokenVariable }: Scopes, target: CheckTarget): Promise<Finding> {
  if (target.inferenceToken === undefined) return skipped(noToken(tokenVariable));
  const authorization = `Bearer ${target.inferenceToken.reveal()}`;
  const headers = { authorization, 'content-type': 'application/json', 'content-length': 2 };
  // Names no model: where the gate is too wide, Ollama says 400 and deletes nothing.
  const deletion: RequestOptions = { path: deletes, method: 'DELETE', headers, body: '{}' };
  const [deleted, listed] = await Promise.all([
    sendRequest(target, deletion),
    sendRequest(target, { path: models, headers: { authorization } }),
  ]);
  return judgeScope({ deletes, models, tokenVariable }, deleted, listed.status);
}

/** Judges both answers; a backend that is down does not count against the gate. */
export function judgeScope(
  { deletes, models, tokenVariable }: Scopes,
  deleted: Pick<Answer, 'status' | 'headers' | 'body'>,
  listed: number,
): Finding {
  if (deleted.status === 401 || listed === 401)
    return failed(
      `The gate gives 401 to ${tokenVariable}: the proxy does not know this token. Make one with \`npx tsx scripts/bearers.ts add NAME\` and set it, or take the setting out.`,
    );
  if (deleted.status < 500 && isHtml(deleted))
    return failed(
      `DELETE ${deletes} gives ${deleted.status} and a page of HTML to ${tokenVariable}: that is not the gate, and not Ollama. Look whether the site is deployed, and whether another vhost or location answers here.`,
    );
  if (deleted.status !== 403 || !isByGate(deleted))
    return failed(
      `DELETE ${deletes} gives ${deleted.status} to ${tokenVariable} instead of the gate's 403: whoever has this token can delete models, and pull others. Either it belongs to a client of scope full (\`npx tsx scripts/bearers.ts list\` shows scopes; revoke it and add it again), or the map of the gate lists too much: deploy the site again.`,
    );
  if (listed === 403)
    return failed(
      `${models} gives 403 to ${tokenVariable}, which is there for just that: the map of the gate lists too little. Deploy the site again.`,
    );
  return passed(`${tokenVariable} is let in at ${models} (${listed}), and gets 403 for DELETE ${deletes}.`);
}

/** Ollama's own 403 has no body. */
function isByGate({ headers, body }: Pick<Answer, 'headers' | 'body'>): boolean {
  return /\bjson\b/.test(headers['content-type'] ?? '') && body.includes('"error"');
}
