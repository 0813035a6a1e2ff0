/** Tells by an answer who gave it: Ollama, or somebody that may. */
import type { Answer } from '../http/request.ts';
import { isHtml } from '../web/page-assets.ts';
import { modelsIn } from './models.ts';

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
