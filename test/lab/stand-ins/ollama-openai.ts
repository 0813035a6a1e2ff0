/** The OpenAI-compatible half of the stand-in for Ollama. */
import {
  answer,
  echo,
  type Handler,
  json,
  MODEL,
  type Routes,
  readJson,
  stream,
  waitIfSilent,
  words,
} from './stand-in.ts';

const OPENAI_CARD = { id: MODEL, object: 'model', created: 1767225600, owned_by: 'library' };
const USAGE = { prompt_tokens: 1, completion_tokens: 5, total_tokens: 6 };

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

type Choice = (content: string, isPiece: boolean) => object;

/** An OpenAI-style response: SSE if the body has `"stream": true`. */
function openai(object: string, choice: Choice): Handler {
  return async (call) => {
    const body = await readJson(call.request);
    await waitIfSilent(call);
    const shape = (content: string, finish: string | null, isPiece: boolean) => ({
      id: 'cmpl-1',
      object: isPiece && object === 'chat.completion' ? `${object}.chunk` : object,
      created: 1767225600,
      model: body.model ?? MODEL,
      choices: [{ index: 0, finish_reason: finish, ...choice(content, isPiece) }],
    });
    if (body.stream !== true) {
      json(call.response, { ...shape(words(call).join(''), 'stop', false), usage: USAGE });
      return;
    }
    const chunks = words(call).map((word) => event(shape(word, null, true)));
    await stream(call, 'text/event-stream', [...chunks, event(shape('', 'stop', true)), 'data: [DONE]\n\n']);
  };
}

const chatChoice: Choice = (content, isPiece) => ({
  [isPiece ? 'delta' : 'message']: { role: 'assistant', content },
});

const VECTOR = [0.1, 0.2];

/** OpenAI's client requests base64 by default. */
const embeddings: Handler = async ({ request, response }) => {
  const { encoding_format: format } = await readJson(request);
  const packed = Buffer.from(Float32Array.from(VECTOR).buffer).toString('base64');
  const embedding = format === 'base64' ? packed : VECTOR;
  json(response, {
    object: 'list',
    model: MODEL,
    data: [{ object: 'embedding', index: 0, embedding }],
    usage: USAGE,
  });
};

const anthropicEvent = (type: string, value: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;

/** An Anthropic-style response: SSE if the body has `"stream": true`. */
const messages: Handler = async (call) => {
  const body = await readJson(call.request);
  await waitIfSilent(call);
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: body.model ?? MODEL,
    content: [] as object[],
    stop_reason: null as string | null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 5 },
  };
  if (body.stream !== true) {
    const content = [{ type: 'text', text: words(call).join('') }];
    return json(call.response, { ...message, content, stop_reason: 'end_turn' });
  }
  await stream(call, 'text/event-stream', [
    anthropicEvent('message_start', { message }),
    anthropicEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...words(call).map((text) =>
      anthropicEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    ),
    anthropicEvent('content_block_stop', { index: 0 }),
    anthropicEvent('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } }),
    anthropicEvent('message_stop', {}),
  ]);
};

export const openaiRoutes: Routes = {
  'GET /v1/models': answer({ object: 'list', data: [OPENAI_CARD] }),
  'GET /v1/models/*': answer(OPENAI_CARD),
  'POST /v1/chat/completions': openai('chat.completion', chatChoice),
  'POST /v1/completions': openai('text_completion', (text) => ({ text })),
  'POST /v1/embeddings': embeddings,
  'POST /v1/messages': messages,
  '* /v1/echo': echo,
};
