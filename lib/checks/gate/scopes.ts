/** A client of scope `inference` can use models but not delete them. */
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { type Answer, isHtml, type RequestOptions, sendRequest } from '../http/request.ts';
import { noToken } from './bearer-gate.ts';

interface Scopes {
  /** The path that deletes a model; requested with a body that names none. */
  readonly deletes: string;
  /** The path that lists the models. */
  readonly models: string;
  /** The name of the setting with a token of that scope. */
  readonly tokenVariable: string;
}

/** The token gets 403 for deleting a model and is accepted for listing models. */
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
  // Names no model: if the gate lets it through, Ollama returns 400 and deletes nothing.
  const deletion: RequestOptions = { path: deletes, method: 'DELETE', headers, body: '{}' };
  const [deleted, listed] = await Promise.all([
    sendRequest(target, deletion),
    sendRequest(target, { path: models, headers: { authorization } }),
  ]);
  return judgeScope({ deletes, models, tokenVariable }, deleted, listed.status);
}

/** Judges both responses; a backend that is down does not count as a failure of the gate. */
export function judgeScope(
  { deletes, models, tokenVariable }: Scopes,
  deleted: Pick<Answer, 'status' | 'headers' | 'body'>,
  listed: number,
): Finding {
  if (deleted.status === 401 || listed === 401)
    return failed(
      `The gate returns 401 for ${tokenVariable}: no client has this token. Create one with \`npx tsx scripts/bearers.ts add NAME\` and set it, or remove the setting.`,
    );
  if (deleted.status < 500 && isHtml(deleted))
    return failed(
      `DELETE ${deletes} returns ${deleted.status} and an HTML page for ${tokenVariable}: this is neither the gate nor Ollama. Check that the site is deployed, and whether another vhost or location answers here.`,
    );
  if (deleted.status !== 403 || !isByGate(deleted))
    return failed(
      `DELETE ${deletes} returns ${deleted.status} for ${tokenVariable} instead of 403 from the gate: anyone with this token can delete and pull models. Either it belongs to a client of scope full (\`npx tsx scripts/bearers.ts list\` shows scopes; revoke it and add it again), or the map of the gate allows too many paths: deploy the site again.`,
    );
  if (listed === 403)
    return failed(
      `${models} returns 403 for ${tokenVariable}, although scope inference includes it: the map of the gate allows too few paths. Deploy the site again.`,
    );
  return passed(`${tokenVariable} is accepted at ${models} (${listed}) and gets 403 for DELETE ${deletes}.`);
}

/** A 403 of Ollama has no body. */
function isByGate({ headers, body }: Pick<Answer, 'headers' | 'body'>): boolean {
  return /\bjson\b/.test(headers['content-type'] ?? '') && body.includes('"error"');
}
