/** A completion is streamed while the model generates it. */
import { type Check, type CheckTarget, type Finding, failed, skipped, warned } from '../../model/check.ts';
import { listFault, noToken } from '../gate/bearer-gate.ts';
import { modelsIn } from '../gate/models.ts';
import { bearerOption, curl } from '../http/curl.ts';
import { NoAnswerError, statusAdvice } from '../http/failures.ts';
import { type Answer, type RequestOptions, sendRequest } from '../http/request.ts';
import { type Arrival, judgeStreamTiming } from './stream-timing.ts';

export interface Streaming {
  /** The path that lists the models. */
  readonly models: string;
  /** The path for OpenAI chat completions. */
  readonly completions: string;
  /** The name of the setting with the token. */
  readonly tokenVariable: string;
  /** The service that checks the token, if not the nginx gate. */
  readonly service?: string;
}

/** A short completion by the first model arrives in several chunks, spread over time. */
export function streams(options: Streaming): Check {
  return {
    name: 'streaming',
    isTimed: true,
    run: (target) => check(options, target),
    curl: (target) => curl(target, { path: options.models }, bearerOption(options.tokenVariable)),
  };
}

async function check(options: Streaming, target: CheckTarget): Promise<Finding> {
  const { models, tokenVariable, service } = options;
  if (target.token === undefined) return skipped(noToken(tokenVariable));
  const authorization = `Bearer ${target.token.reveal()}`;
  const list = await sendRequest(target, { path: models, headers: { authorization } }).catch(untrusted);
  if (list === undefined) return skipped(SELF_SIGNED);
  if (list.status === 401 && service) return failed(unknownKey(service, tokenVariable));
  const fault = listFault(models, list, tokenVariable);
  if (fault !== '') return failed(`Streaming could not be checked: ${fault}`);
  const model = firstChatModel(modelsIn(list.body) ?? []);
  if (model === undefined) return skipped('The backend has no model yet: add one, then retry.');
  const request = completion(options.completions, model);
  const finding = await complete(target, request, authorization, model);
  return { ...finding, curl: byHand(target, request, tokenVariable) };
}

const unknownKey = (service: string, variable: string): string =>
  `${service} rejects ${variable} (401): it was revoked, or belongs to another appliance. Create a new one there and set it, or remove the setting.`;

const SELF_SIGNED =
  'A token is sent only if the certificate is trusted, and this one is self-signed: add it to NODE_EXTRA_CA_CERTS to run this check.';

/** A self-signed certificate is left to the certificate check; other errors are reported here. */
function untrusted(error: unknown): undefined {
  if (error instanceof NoAnswerError && error.code === 'DEPTH_ZERO_SELF_SIGNED_CERT') return undefined;
  throw error;
}

/** The first chat model: many lists start with embedding models. */
export function firstChatModel(models: readonly string[]): string | undefined {
  return models.find((name) => !/embed/i.test(name)) ?? models[0];
}

async function complete(target: CheckTarget, request: RequestOptions, authorization: string, model: string) {
  const arrivals: Arrival[] = [];
  const sentAt = performance.now();
  const onData = (piece: Buffer) => arrivals.push({ at: performance.now(), events: eventsIn(piece) });
  try {
    const answer = await sendRequest(target, {
      ...request,
      headers: { ...request.headers, authorization },
      onData,
    });
    return answer.status === 200
      ? judgeStreamTiming(sentAt, arrivals, model)
      : failed(rejectionText(answer, request));
  } catch (error) {
    if (!(error instanceof NoAnswerError && error.code === 'ETIMEDOUT')) throw error;
    return arrivals.length > 0
      ? judgeStreamTiming(sentAt, arrivals, model)
      : warned(noOutputText(error, model));
  }
}

function noOutputText({ message }: NoAnswerError, model: string): string {
  return `${message}. ${model} may still be loading, which takes minutes for a large model: retry later. If there is still no output, check the load and the log of the backend.`;
}

function byHand(target: CheckTarget, request: RequestOptions, variable: string): string {
  const body = `'${request.body?.replaceAll("'", "'\\''")}'`;
  return curl(
    target,
    request,
    '-N',
    bearerOption(variable),
    '-H "Content-Type: application/json"',
    `-d ${body}`,
  );
}

function completion(path: string, model: string) {
  const messages = [{ role: 'user', content: 'Count from one to ten.' }];
  const body = JSON.stringify({ model, messages, stream: true, max_tokens: 24 });
  return {
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  } satisfies RequestOptions;
}

function eventsIn(piece: Buffer): number {
  return piece.toString('latin1').match(/^data:/gm)?.length ?? 0;
}

function rejectionText({ status, body }: Answer, { path }: RequestOptions): string {
  const fallback = 'The backend rejects this completion: try another model, or check its log.';
  return `${path} returns ${status}: ${body.slice(0, 200).trim()}. ${statusAdvice(status, fallback, body)}`;
}
