/** The chapters of the demo: the commands, the requests, and their expected results. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Lab } from '../namespaces/lab.ts';
import { copyProject } from './project.ts';
import { bearer, printHeading, type Stage } from './stage.ts';

const OLD = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'a-token-for-the-demo-0123456789-ABCdef' };
const NEW = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'the-next-token-of-the-demo-987654-XYZ' };
const MODELS = '/ollama/v1/models';

/** Requests through the bearer gate: without a token, with wrong ones, with the right one. */
async function tryGate(
  { request }: Stage,
  { IA_ENSO_OLLAMA_BEARER_TOKEN: token }: typeof OLD,
): Promise<void> {
  await request('without a token', 401, MODELS);
  await request('with a wrong token', 401, MODELS, ...bearer(`${token.slice(0, -1)}!`));
  await request('with the right token in lowercase', 401, MODELS, ...bearer(token.toLowerCase()));
  await request('with the right token', 200, MODELS, ...bearer(token));
}

/** Parses the demo's flags; exits for an invalid one or `--help`. */
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
  printHeading('A bare proxy gets its first certificate and the full site, through the jump host.');
  await type('npx tsx scripts/bootstrap-tls.ts', { env: OLD });
}

export async function useServices(stage: Stage): Promise<void> {
  const { type, request } = stage;
  printHeading('The gate, tested with curl.');
  await tryGate(stage, OLD);

  printHeading('A streamed completion; each chunk with its time.');
  await type('npx tsx test/lab/actors/stream.ts', { env: OLD });

  printHeading('AnythingLLM, as a browser sees it.');
  await request('/anythingllm/ redirects to', 200, '/anythingllm/', '-L');
  await request('the script that its page loads', 200, '/index.js');
}

export async function changeSetting({ type }: Stage): Promise<void> {
  printHeading(
    'A setting changes: first a dry run, then the deploy, then the same deploy again, without a reload.',
  );
  const moved = { ...OLD, IA_ENSO_BACKEND_IP: '192.168.1.165' };
  await type('npx tsx scripts/deploy.ts --dry-run', { env: moved });
  await type('npx tsx scripts/deploy.ts --no-verify', { env: moved });
  await type('npx tsx scripts/deploy.ts --no-verify', { env: moved });
}

export async function rollBack({ type }: Stage): Promise<void> {
  printHeading('That address was wrong: roll back to the previous release.');
  await type('npx tsx scripts/rollback.ts', { env: OLD });
}

/** Adds a client; returns its token, which is shown only once. */
async function add({ type }: Stage, name: string): Promise<string> {
  const added = await type(`npx tsx scripts/bearers.ts add ${name}`, { keep: true });
  return added.match(/\b[0-9a-f]{64}\b/)?.[0] ?? '';
}

export async function addClient(stage: Stage): Promise<string> {
  const { request } = stage;
  printHeading('Another client, with scope inference: chat and models, nothing else.');
  const editor = await add(stage, 'editor');
  await request('list models as the editor', 200, MODELS, ...bearer(editor));
  await request('delete a model as the editor', 403, '/ollama/api/delete', '-X', 'DELETE', ...bearer(editor));
  return editor;
}

export async function limitClients(stage: Stage, editor: string): Promise<void> {
  const { type, request, expectRefusal } = stage;
  printHeading(
    'A client is suspended, effective with its next request, and resumed. Its token does not change.',
  );
  await type('npx tsx scripts/bearers.ts suspend editor');
  await expectRefusal('the suspended editor', 'suspended', MODELS, ...bearer(editor));
  await type('npx tsx scripts/bearers.ts resume editor');
  await request('the editor again', 200, MODELS, ...bearer(editor));

  printHeading('A guest for one minute; then its expiry is moved to one second from now.');
  const guest = await add(stage, 'guest --expires 1m');
  await request('the guest', 200, MODELS, ...bearer(guest));
  await type('npx tsx scripts/bearers.ts set guest --expires 1s --no-verify');
  await expectRefusal('the guest, a second later', 'expired', MODELS, ...bearer(guest));
  await type('npx tsx scripts/bearers.ts list');
}

export async function showUsage({ type }: Stage): Promise<void> {
  printHeading('Usage of the gate per client, from the access log on the proxy.');
  await type('npx tsx scripts/bearers.ts usage');
}

export async function rotateBearer(stage: Stage): Promise<void> {
  printHeading('The token is rotated: the new one is accepted, the old one is rejected.');
  await stage.type('npx tsx scripts/rotate-bearer.ts', { env: NEW });
  await tryGate(stage, NEW);
  await stage.request('with the old token', 401, MODELS, ...bearer(OLD.IA_ENSO_OLLAMA_BEARER_TOKEN));
}

export async function deployBrokenTemplate(stage: Stage, lab: Lab): Promise<void> {
  printHeading('A template that nginx rejects: rolled back and verified; the gate keeps answering.');
  const copy = await copyProject(join(lab.directory, 'broken'));
  const template = join(copy, 'sites/ia.enso.4nkweb.com.conf');
  const text = await readFile(template, 'utf8');
  await writeFile(template, text.replace('server {', 'server {\n    proxy_bufering off;'));
  await stage.type('npx tsx scripts/deploy.ts', { env: NEW, status: 1, cwd: copy });
  await tryGate(stage, NEW);
}

export async function showStatus({ type }: Stage): Promise<void> {
  printHeading('The current state of the proxy. The expired guest needs attention: exit status 3.');
  await type('npx tsx scripts/status.ts', { env: NEW, status: 3 });
}
