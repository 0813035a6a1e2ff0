/** Tells by an answer who gave it: Ollama, or somebody that may. */

import type { Answer } from '../http/request.ts';
import { isHtml } from '../http/request.ts';

type Seen = Pick<Answer, 'status' | 'headers' | 'body'>;

/** What Ollama's root and its router say; nginx and AnythingLLM answer in HTML or JSON. */
const WORDS = /^\s*(?:Ollama is running|404 page not found|405 method not allowed)\s*$/i;

/** Refusals and redirects, whoever says them; 0 is a connection that was closed. */
const REFUSALS: ReadonlySet<number> = new Set([0, 301, 302, 308, 400, 401, 403, 404, 405, 421, 426, 429]);

/** Is this Ollama's? Its guard against foreign hosts says 403 with nothing in it. */
export function isOllamas({ status, headers, body }: Seen): boolean {
  const isMute = status === 403 && body === '' && headers['content-type'] === undefined;
  return modelsIn(body) !== undefined || WORDS.test(body) || isMute;
}

/** Is this a refusal, a redirect or somebody's web page? */
export function isRefusal(answer: Seen): boolean {
  return REFUSALS.has(answer.status) || isHtml(answer);
}

/** The models' names; `undefined` when the text is no such list. */
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
  // Ollama's /v1/models says `null` when it has no model.
  return 'data' in value && value.data === null ? [] : undefined;
}

function nameOf(model: unknown): string {
  if (typeof model !== 'object' || model === null) return '';
  if ('id' in model && typeof model.id === 'string') return model.id;
  return 'name' in model && typeof model.name === 'string' ? model.name : '';
}
