/** A client of scope `inference` can use models and nothing else. */
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { type Answer, isHtml, type RequestOptions, sendRequest } from '../http/request.ts';
import { noToken } from './bearer-gate.ts';

interface Scopes {
  /** A request outside the scope that is harmless even if accepted. Methods other than GET send the body `{}`. */
  readonly forbidden: { readonly method: string; readonly path: string };
  /** The path that lists the models. */
  readonly models: string;
  /** The service behind the gate. */
  readonly service: string;
  /** The name of the setting with a token of that scope. */
  readonly tokenVariable: string;
}

/** The token gets 403 for a request outside its scope, and is accepted for listing models. */
export function inferenceScope(scopes: Scopes): Check {
  const { method, path } = scopes.forbidden;
  const byHand = [
    `-X ${method}`,
    bearerOption(scopes.tokenVariable),
    ...(hasBody(method) ? ["-d '{}'"] : []),
  ];
  return {
    name: 'inference scope',
    run: (target) => check(scopes, target),
    curl: (target) => curl(target, { path }, '-i', ...byHand),
  };
}

const hasBody = (method: string): boolean => method !== 'GET';

async function check(scopes: Scopes, target: CheckTarget): Promise<Finding> {
  if (target.inferenceToken === undefined) return skipped(noToken(scopes.tokenVariable));
  const authorization = `Bearer ${target.inferenceToken.reveal()}`;
  const body = { 'content-type': 'application/json', 'content-length': 2 };
  const isSent = hasBody(scopes.forbidden.method);
  const forbidden: RequestOptions = {
    ...scopes.forbidden,
    headers: { authorization, ...(isSent && body) },
    ...(isSent && { body: '{}' }),
  };
  const [refused, listed] = await Promise.all([
    sendRequest(target, forbidden),
    sendRequest(target, { path: scopes.models, headers: { authorization } }),
  ]);
  return judgeScope(scopes, refused, listed.status);
}

/** Judges both responses; a backend that is down is not a failure of the gate. */
export function judgeScope(
  { forbidden, models, service, tokenVariable }: Scopes,
  refused: Pick<Answer, 'status' | 'headers' | 'body'>,
  listed: number,
): Finding {
  const request = `${forbidden.method} ${forbidden.path}`;
  if (refused.status === 401 || listed === 401)
    return failed(
      `The gate returns 401 for ${tokenVariable}: no client has this token. Create one with \`npx tsx scripts/bearers.ts add NAME\` and set it, or remove the setting.`,
    );
  if (refused.status < 500 && isHtml(refused))
    return failed(
      `${request} returns ${refused.status} and an HTML page for ${tokenVariable}: this is neither the gate nor ${service}. Check that the site is deployed, and whether another vhost or location answers here.`,
    );
  if (refused.status !== 403 || !isByGate(refused))
    return failed(
      `${request} returns ${refused.status} for ${tokenVariable} instead of 403 from the gate: anyone with this token can do more than use the models of ${service}. Either it belongs to a client of scope full (\`npx tsx scripts/bearers.ts list\` shows scopes; revoke it and add it again), or the map of the gate allows too many paths: deploy the site again.`,
    );
  if (listed === 403)
    return failed(
      `${models} returns 403 for ${tokenVariable}, although scope inference includes it: the map of the gate allows too few paths. Deploy the site again.`,
    );
  return passed(`${tokenVariable} is accepted at ${models} (${listed}) and gets 403 for ${request}.`);
}

/** A backend may return 403, too. */
function isByGate({ headers, body }: Pick<Answer, 'headers' | 'body'>): boolean {
  return /\bjson\b/.test(headers['content-type'] ?? '') && body.includes('"error"');
}
