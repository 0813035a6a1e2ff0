/** Requests a streamed completion through the gate with the official client, and prints each chunk with its time. */
import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: 'https://ia.enso.4nkweb.com/ollama/v1',
  apiKey: process.env.IA_ENSO_OLLAMA_BEARER_TOKEN ?? '',
});
const start = performance.now();
const [model] = (await client.models.list()).data;
const stream = await client.chat.completions.create({
  model: model?.id ?? '',
  messages: [{ role: 'user', content: 'Say hello.' }],
  stream: true,
});
for await (const chunk of stream) {
  const text = chunk.choices[0]?.delta.content ?? '';
  console.log(`  ${Math.round(performance.now() - start)} ms ${JSON.stringify(text)}`);
}
