/**
 * One streamed chat with a client library: chat.mjs LIBRARY BASE_URL KEY [RETRIES]. Prints the chunks as JSON, or the
 * library's error.
 */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOllama } from '@langchain/ollama';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';

const [library, base, key, retries] = process.argv.slice(2);
const MODEL = 'tiny:latest';
const PROMPT = 'Say hello.';
const limit = retries === undefined ? {} : { maxRetries: Number(retries) };

async function* langchain(model) {
  for await (const { content } of await model.stream(PROMPT)) if (content !== '') yield content;
}

async function* vercel(model) {
  let failure;
  const onError = ({ error }) => {
    failure = error;
  };
  yield* streamText({ model, prompt: PROMPT, onError, ...limit }).textStream;
  if (failure) throw failure;
}

const libraries = {
  '@langchain/openai': () =>
    langchain(
      new ChatOpenAI({ model: MODEL, apiKey: key, configuration: { baseURL: `${base}/v1` }, ...limit }),
    ),
  '@langchain/ollama': () =>
    langchain(
      new ChatOllama({ model: MODEL, baseUrl: base, headers: { Authorization: `Bearer ${key}` }, ...limit }),
    ),
  '@ai-sdk/openai-compatible': () =>
    vercel(createOpenAICompatible({ name: 'gate', baseURL: `${base}/v1`, apiKey: key })(MODEL)),
  '@ai-sdk/anthropic': () => vercel(createAnthropic({ baseURL: `${base}/v1`, apiKey: key })(MODEL)),
};

try {
  const pieces = [];
  for await (const piece of libraries[library]()) pieces.push(piece);
  console.log(JSON.stringify(pieces));
} catch (error) {
  console.error(
    [error.name, error.message, error.responseBody, error.lastError?.responseBody].filter(Boolean).join('\n'),
  );
  process.exit(1);
}
