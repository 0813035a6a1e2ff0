/** How common programs are configured to use a gated API. */
import type { ClientSetting } from '../../lib/model/site.ts';

/** Programs for an OpenAI-compatible API below `/v1` of the gate. */
export const OPENAI: readonly ClientSetting[] = [
  {
    program: 'Cursor (Settings, Models)',
    text: `OpenAI API Key             <token>
Override OpenAI Base URL   <base>/v1`,
  },
  {
    program: 'openai (Node)',
    text: `new OpenAI({
  baseURL: '<base>/v1',
  apiKey: '<token>',
})`,
  },
  {
    program: 'openai (Python)',
    text: `OpenAI(
    base_url="<base>/v1",
    api_key="<token>",
)`,
  },
  {
    program: 'curl',
    text: `curl -H "Authorization: Bearer <token>" \\
  <base>/v1/models`,
  },
];

/** AnythingLLM, with Ollama's own API. */
export const ANYTHINGLLM: ClientSetting = {
  program: 'AnythingLLM (.env)',
  text: `LLM_PROVIDER='ollama'
OLLAMA_BASE_PATH='<base>'
OLLAMA_AUTH_TOKEN='<token>'`,
};
