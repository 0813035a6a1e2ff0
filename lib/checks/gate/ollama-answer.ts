/** Recognizes responses of Ollama, and responses that are safe because they refuse or come from a web interface. */

import type { Answer } from '../http/request.ts';
import { isHtml } from '../http/request.ts';

type Seen = Pick<Answer, 'status' | 'headers' | 'body'>;

/** The text responses of Ollama; nginx and AnythingLLM respond with HTML or JSON. */
const TEXTS = /^\s*(?:Ollama is running|404 page not found|405 method not allowed)\s*$/i;

/** Rejections and redirects from any server; 0 is a closed connection. */
const REFUSALS: ReadonlySet<number> = new Set([0, 301, 302, 308, 400, 401, 403, 404, 405, 421, 426, 429]);

/** Is this a response of Ollama? It rejects foreign Host headers with 403 and an empty body. */
export function isOllamas({ status, headers, body }: Seen): boolean {
  const isEmpty403 = status === 403 && body === '' && headers['content-type'] === undefined;
  return modelsIn(body) !== undefined || TEXTS.test(body) || isEmpty403;
}

/** Is this a rejection, a redirect or a web page? */
export function isRefusal(answer: Seen): boolean {
  return REFUSALS.has(answer.status) || isHtml(answer);
}

/** The names of the models; undefined if the text is not a list of models. */
export function modelsIn(body: string): readonly string[] | undefined {
  const list = listIn(parsed(body));
  return list?.map(nameOf).filter((name) => name !== '');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function listIn(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('data' in value && Array.isArray(value.data)) return value.data;
  if ('models' in value && Array.isArray(value.models)) return value.models;
  // /v1/models of Ollama returns `null` if it has no model.
  return 'data' in value && value.data === null ? [] : undefined;
}

function nameOf(model: unknown): string {
  if (typeof model !== 'object' || model === null) return '';
  if ('id' in model && typeof model.id === 'string') return model.id;
  return 'name' in model && typeof model.name === 'string' ? model.name : '';
}
