/** Clients of the gate cannot spend an account at a provider to which the backend forwards requests. */
import { type Check, type CheckTarget, type Finding, passed, skipped, warned } from '../../model/check.ts';
import { plural } from '../../util/plural.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { NoAnswerError } from '../http/failures.ts';
import { fieldOf, jsonIn } from '../http/json.ts';
import { type Answer, type RequestOptions, sendRequest } from '../http/request.ts';
import { noToken } from './bearer-gate.ts';
import { listIn, modelName } from './models.ts';

export interface CloudAccount {
  /** The path that reports whether forwarding is disabled: `field` is then `true`. */
  readonly disabled: { readonly path: string; readonly field: readonly string[] };
  /** The request for the account: returns 200 with its name in `field`, or 401 if there is none. */
  readonly account: { readonly method: string; readonly path: string; readonly field: string };
  /** The path that lists the models; `field` is set in those that run at the provider. */
  readonly models: { readonly path: string; readonly field: string };
  readonly service: string;
  readonly provider: string;
  /** How to disable forwarding. */
  readonly fix: string;
  /** The name of the setting with a token that permits these requests. */
  readonly tokenVariable: string;
}

/** The backend may query the provider before it answers. */
const ACCOUNT_LIMIT_MS = 5_000;

/** Warns if any client can spend the account by requesting one of the provider's models. Generates nothing. */
export function cloudAccount(options: CloudAccount): Check {
  const { account, tokenVariable } = options;
  return {
    name: 'cloud account',
    run: (target) => check(options, target).catch(unanswered),
    curl: (target) => curl(target, account, '-i', `-X ${account.method}`, bearerOption(tokenVariable)),
  };
}

async function check(options: CloudAccount, target: CheckTarget): Promise<Finding> {
  const token = target.token ?? target.inferenceToken;
  if (token === undefined) return skipped(noToken(options.tokenVariable));
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const ask = (request: RequestOptions, from = target) => sendRequest(from, { ...request, headers });
  const [disabled, models] = await Promise.all([
    ask({ path: options.disabled.path }),
    ask({ path: options.models.path }),
  ]);
  const seen = { disabled, models };
  if (isDisabled(options, disabled)) return judgeAccount(options, seen);
  const { method, path } = options.account;
  const account = await ask({ method, path }, within(ACCOUNT_LIMIT_MS, target)).catch(() => undefined);
  return judgeAccount(options, { ...seen, account });
}

/** The gate's checks report why requests fail. */
function unanswered(error: unknown): Finding {
  if (error instanceof NoAnswerError) return skipped(`Not checked: ${error.message}`);
  throw error;
}

function within(milliseconds: number, target: CheckTarget): CheckTarget {
  const limit = AbortSignal.timeout(milliseconds);
  return { ...target, signal: target.signal ? AbortSignal.any([target.signal, limit]) : limit };
}

type Response = Pick<Answer, 'status' | 'headers' | 'body'>;

/** The responses; `account` is missing if it was not requested, or did not arrive in time. */
interface Seen {
  readonly disabled: Response;
  readonly models: Response;
  readonly account?: Response | undefined;
}

/** Judges the responses. An unknown account is no reason for a warning. */
export function judgeAccount(options: CloudAccount, { disabled, models, account }: Seen): Finding {
  const { service, provider, fix } = options;
  if (isDisabled(options, disabled)) return passed(`${service} has the models of ${provider} turned off.`);
  const remote = remoteModels(options, models);
  if (account?.status === 401 && !isByGate(account))
    return passed(`${service} is not signed in to an account at ${provider}.`);
  const name = account?.status === 200 ? fieldOf(jsonIn(account.body), options.account.field) : undefined;
  if (typeof name === 'string' && name !== '')
    return warned(`${service} is signed in to an account at ${provider}. ${cost(options, remote)} ${fix}`);
  if (remote.length > 0)
    return warned(`${service} lists ${listed(options, remote)}. ${cost(options)} ${fix}`);
  if (disabled.status === 404 && account?.status === 404)
    return passed(`This version of ${service} has no models of ${provider}.`);
  return skipped(unknownText(options, [disabled, account]));
}

const isDisabled = ({ disabled: { field } }: CloudAccount, { status, body }: Response): boolean =>
  status === 200 && fieldOf(jsonIn(body), ...field) === true;

/** The gate's 401 has a WWW-Authenticate header; the backend's does not. */
const isByGate = ({ headers }: Response): boolean => headers['www-authenticate'] !== undefined;

function remoteModels({ models: { field } }: CloudAccount, { body }: Response): readonly string[] {
  return (listIn(body) ?? []).filter((model) => fieldOf(model, field)).map(modelName);
}

const cost = (options: CloudAccount, remote: readonly string[] = []): string =>
  `Any client of the gate, even one of scope inference, can run models of ${options.provider} at the expense of that account, by naming one in a request${remote.length > 0 ? ` (${options.service} lists ${listed(options, remote)})` : ''}.`;

function listed({ provider }: CloudAccount, remote: readonly string[]): string {
  const [first = ''] = remote;
  return `${plural(remote.length, 'model')} of ${provider}, such as ${first.slice(0, 80)}`;
}

function unknownText(options: CloudAccount, answers: readonly (Response | undefined)[]): string {
  const { service, provider, disabled, account, tokenVariable } = options;
  const [first, second] = answers.map((answer) => answer?.status ?? 'nothing in time');
  return `It is unknown whether ${service} is signed in to an account at ${provider}: ${disabled.path} returns ${first}, ${account.path} ${second}. The check needs a token of scope full in ${tokenVariable}, and a ${service} that responds.`;
}
