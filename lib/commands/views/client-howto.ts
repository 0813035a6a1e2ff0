/** What a client of the gate types into its tools; the token itself is never in it. */
import type { Site } from '../../model/site.ts';

/** Settings for Cursor, the openai client, curl and AnythingLLM, with `<token>` where the token goes. */
export function clientText({ serverName, gate }: Site): string {
  if (!gate) return '';
  const base = `https://${serverName}${gate.path}`;
  return `For the client, with the token in the place of <token>:

Cursor (Settings, Models)
  OpenAI API Key             <token>
  Override OpenAI Base URL   ${base}/v1

openai (Node)
  new OpenAI({
    baseURL: '${base}/v1',
    apiKey: '<token>',
  })

openai (Python)
  OpenAI(
      base_url="${base}/v1",
      api_key="<token>",
  )

curl
  curl -H "Authorization: Bearer <token>" \\
    ${base}/v1/models

AnythingLLM (.env)
  LLM_PROVIDER='ollama'
  OLLAMA_BASE_PATH='${base}'
  OLLAMA_AUTH_TOKEN='<token>'
`;
}
