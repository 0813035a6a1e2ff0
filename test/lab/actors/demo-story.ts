/** The chapters of the demo: the commands, the requests, and their expected results. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Lab } from '../namespaces/lab.ts';
import { copyProject } from './project.ts';
import { bearer, type Stage, say } from './stage.ts';

const OLD = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'a-token-for-the-demo-0123456789-ABCdef' };
const NEW = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'the-next-token-of-the-demo-987654-XYZ' };
const MODELS = '/ollama/v1/models';

/** The bearer gate, asked without a token, with wrong ones and with the right one. */
async function askGate({ ask }: Stage, { IA_ENSO_OLLAMA_BEARER_TOKEN: token }: typeof OLD): Promise<void> {
  await ask('without a bearer', 401, MODELS);
  await ask('with a wrong one', 401, MODELS, ...bearer(`${token.slice(0, -1)}!`));
  await ask('with the right one in another case', 401, MODELS, ...bearer(token.toLowerCase()));
  await ask('with the right one', 200, MODELS, ...bearer(token));
}

/** The flags of the demo; for a wrong one, or `--help`, it ends here. */
export function demoFlags(): { readonly keep?: boolean } {
  const usage = `npm run demo -- [--keep]

  --keep     leaves the lab up at the end, with a shell inside
`;
  try {
    const options = { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ options });
    if (!values.help) return values;
    process.stdout.write(usage);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return process.exit(2);
  }
}

export async function bootstrap({ type }: Stage): Promise<void> {
  say('A bare proxy gets its first certificate and the full site, through the jump host.');
  await type('npx tsx scripts/bootstrap-tls.ts', { env: OLD });
}

export async function useServices(stage: Stage): Promise<void> {
  const { type, ask } = stage;
  say('The gate, requests by curl.');
  await askGate(stage, OLD);

  say('A completion, streamed: each piece with its time.');
  await type('npx tsx test/lab/actors/stream.ts', { env: OLD });

  say('AnythingLLM, as a browser meets it.');
  await ask('/anythingllm/ redirects to', 200, '/anythingllm/', '-L');
  await ask('the script that its page names', 200, '/index.js');
}

export async function changeSetting({ type }: Stage): Promise<void> {
  say(
    'A setting changes: first what would happen, then the deploy, then the same deploy again, without a reload.',
  );
  const moved = { ...OLD, IA_ENSO_BACKEND_IP: '192.168.1.165' };
  await type('npx tsx scripts/deploy.ts --dry-run', { env: moved });
  await type('npx tsx scripts/deploy.ts --no-verify', { env: moved });
  await type('npx tsx scripts/deploy.ts --no-verify', { env: moved });
}

export async function rollBack({ type }: Stage): Promise<void> {
  say('That address was wrong: back to the previous release.');
  await type('npx tsx scripts/rollback.ts', { env: OLD });
}

/** Adds a client; its token, as it is shown once. */
async function add({ type }: Stage, name: string): Promise<string> {
  const added = await type(`npx tsx scripts/bearers.ts add ${name}`, { keep: true });
  return added.match(/\b[0-9a-f]{64}\b/)?.[0] ?? '';
}

export async function addClient(stage: Stage): Promise<string> {
  const { ask } = stage;
  say('Another client, of scope inference: chat and models, nothing else.');
  const editor = await add(stage, 'editor');
  await ask('the models, for the editor', 200, MODELS, ...bearer(editor));
  await ask('deleting a model, for the editor', 403, '/ollama/api/delete', '-X', 'DELETE', ...bearer(editor));
  return editor;
}

export async function limitClients(stage: Stage, editor: string): Promise<void> {
  const { type, ask, refused } = stage;
  say('A client is suspended, from its next request on, and resumed. Its token stays.');
  await type('npx tsx scripts/bearers.ts suspend editor');
  await refused('the suspended editor', 'suspended', MODELS, ...bearer(editor));
  await type('npx tsx scripts/bearers.ts resume editor');
  await ask('the editor again', 200, MODELS, ...bearer(editor));

  say('A guest for one minute; then its end is moved to one second from now.');
  const guest = await add(stage, 'guest --expires 1m');
  await ask('the guest', 200, MODELS, ...bearer(guest));
  await type('npx tsx scripts/bearers.ts set guest --expires 1s --no-verify');
  await refused('the guest, a second later', 'expired', MODELS, ...bearer(guest));
  await type('npx tsx scripts/bearers.ts list');
}

export async function showUsage({ type }: Stage): Promise<void> {
  say('Who used the gate, and how: from the access log on the proxy.');
  await type('npx tsx scripts/bearers.ts usage');
}

export async function rotateBearer(stage: Stage): Promise<void> {
  say('The bearer is rotated: the new one is accepted, the old one is not.');
  await stage.type('npx tsx scripts/rotate-bearer.ts', { env: NEW });
  await askGate(stage, NEW);
  await stage.ask('with the old one', 401, MODELS, ...bearer(OLD.IA_ENSO_OLLAMA_BEARER_TOKEN));
}

export async function deployBrokenTemplate(stage: Stage, lab: Lab): Promise<void> {
  say('A template that nginx refuses: rolled back and proven; the gate goes on answering.');
  const copy = await copyProject(join(lab.directory, 'broken'));
  const template = join(copy, 'sites/ia.enso.4nkweb.com.conf');
  const text = await readFile(template, 'utf8');
  await writeFile(template, text.replace('server {', 'server {\n    proxy_bufering off;'));
  await stage.type('npx tsx scripts/deploy.ts', { env: NEW, status: 1, cwd: copy });
  await askGate(stage, NEW);
}

export async function showStatus({ type }: Stage): Promise<void> {
  say('What is on the proxy now. The expired guest needs attention: exit status 3.');
  await type('npx tsx scripts/status.ts', { env: NEW, status: 3 });
}
