/** The bearer gate accepts a valid token and rejects everything else. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Check, type CheckTarget, type Finding, failed, passed, skipped } from '../../model/check.ts';
import { plural } from '../../util/plural.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { statusAdvice } from '../http/failures.ts';
import { type Answer, sendRequest } from '../http/request.ts';
import { attempts, judgeRefusals } from './attempts.ts';
import { isRejected } from './bearer-live.ts';
import { modelsIn } from './models.ts';

interface BearerGateOptions {
  /** Paths behind the gate that return a JSON list of models. */
  readonly lists: readonly string[];
  /** The name of the setting with the token. */
  readonly tokenVariable: string;
}

/**
 * Two checks: requests that must be rejected, and requests that must be accepted.
 * At most 12 rejected requests on two lists, far below the number at which the gate rate-limits an IP address (100).
 */
export function bearerGate(gate: BearerGateOptions): readonly Check[] {
  const request = { path: gate.lists[0] ?? '/' };
  return [
    {
      name: 'bearer gate refuses',
      run: (target) => checkRejects(gate, target),
      curl: (target) => curl(target, request, '-i'),
    },
    {
      name: 'bearer gate opens',
      run: (target) => checkAccepts(gate, target),
      curl: (target) => curl(target, request, bearerOption(gate.tokenVariable)),
    },
  ];
}

const ONLY_THE_PROXY =
  'Without a token, only the proxy itself can show whether the gate has a client: `npx tsx scripts/status.ts`.';

async function checkRejects(
  { lists, tokenVariable }: BearerGateOptions,
  target: CheckTarget,
): Promise<Finding> {
  const tries = attempts(lists, target.token?.reveal()).map(async ({ path, ...attempt }) => {
    const headers = Object.fromEntries(
      Object.entries(attempt.headers).map(([name, some]) => [name, [...some]]),
    );
    return { path, attempt, answer: await sendRequest(target, { path, headers }) };
  });
  const finding = judgeRefusals(await Promise.all(tries));
  const hint = target.token === undefined ? ` Set ${tokenVariable} for more attempts.` : '';
  return { ...finding, detail: `${finding.detail}${hint}` };
}

async function checkAccepts(
  { lists, tokenVariable }: BearerGateOptions,
  target: CheckTarget,
): Promise<Finding> {
  const { token } = target;
  if (token === undefined) return skipped(`${noToken(tokenVariable)} ${ONLY_THE_PROXY}`);
  const [first = '/'] = lists;
  const ask = (path: string, headers: Readonly<Record<string, string>>) =>
    sendRequest(target, { path, headers });
  const [withApiKey, ...answers] = await Promise.all([
    ask(first, { 'x-api-key': token.reveal() }),
    ...lists.map((path) => ask(path, { authorization: `Bearer ${token.reveal()}` })),
  ]);
  const faults = answers
    .map((answer, index) => listFault(lists[index] ?? first, answer, tokenVariable))
    .filter((fault) => fault !== '');
  if (faults.length > 0) return failed([...new Set(faults)].join(' '));
  if (isRejected(withApiKey)) return failed(ONLY_AS_BEARER);
  const models = modelsIn(answers[0]?.body ?? '')?.length ?? 0;
  return passed(
    `The token is accepted on ${lists.join(' and ')}, also as X-Api-Key; ${plural(models, 'model')} listed.`,
  );
}

const ONLY_AS_BEARER =
  'The gate accepts the token as `Authorization: Bearer`, but not as `X-Api-Key`, which clients of the Anthropic API send. Its maps are from an earlier release or were edited: deploy the site again.';

/** Why a check that needs a token was skipped. */
export function noToken(variable: string): string {
  return `No token is configured: set ${variable} in the environment or the env file.`;
}

/** The problem with the response to a valid token; empty if it is a list of models. */
export function listFault(
  path: string,
  { status, body }: Pick<Answer, 'status' | 'body'>,
  variable: string,
): string {
  if (status === 200 && modelsIn(body) !== undefined) return '';
  const what = status === 200 ? '200, but not a JSON list of models' : status;
  return `${path} with the token returns ${what}. ${statusAdvice(status, reasonOf(status, variable), body, { TOKEN: variable })}`;
}

function reasonOf(status: number, variable: string): string {
  if (status === 401) return advised(SYMPTOMS.unauthorized, { TOKEN: variable });
  if (status === 403) return advised(SYMPTOMS.foreign);
  if (status === 301) return advised(SYMPTOMS.redirectLoop);
  if (status === 404)
    return 'The path does not exist behind the gate. Check that proxy_pass and its location both end in a slash, and check the backend address and port.';
  return 'Another location of the vhost matches the path, or another vhost or backend answers. Check whether the vhost was edited by hand, check the backend address and port, and deploy the site again.';
}
