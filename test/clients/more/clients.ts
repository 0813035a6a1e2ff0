/**
 * Large clients through the gate (`npm run test:clients`): each with the right key, a wrong one, a dead backend, a
 * wrong base URL.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { finished, PATH, spawnProcess } from '../../lab/namespaces/process.ts';

const TOKEN = 'a-token-for-clients-0123456789-ABCdef';
const HOST = 'https://ia.enso.4nkweb.com';
const BASE = `${HOST}/ollama`;
const LIBRARIES = [
  '@langchain/openai',
  '@langchain/ollama',
  '@ai-sdk/openai-compatible',
  '@ai-sdk/anthropic',
] as const;
const HERE = fileURLToPath(new URL('.', import.meta.url));

let lab: Lab;
const deploy = async (more: Record<string, string> = {}) => {
  const env = { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN, ...more };
  const { status, stderr } = await lab.run('deploy', ['--no-verify'], { env });
  assert.equal(status, 0, stderr);
};
before(async () => {
  lab = await startLab();
  await deploy();
});
after(() => lab.stop());

/** One chat with a client, with its default retries or none; returns its output and duration. */
type Chat = (
  base: string,
  key: string,
  hasRetries?: boolean,
) => Promise<{ status: number; output: string; elapsedMs: number }>;

const run = async (program: string, args: readonly string[], env: Record<string, string>) => {
  const start = performance.now();
  const clientEnv = {
    PATH,
    HOME: lab.directory,
    NODE_EXTRA_CA_CERTS: `${lab.env.NODE_EXTRA_CA_CERTS}`,
    ...env,
  };
  const child = spawnProcess(
    { env: clientEnv, cwd: lab.directory, stdio: ['ignore', 'pipe', 'pipe'] },
    program,
    args,
  );
  const { status, stdout, stderr } = await finished(child);
  return { status, output: stdout + stderr, elapsedMs: performance.now() - start };
};

const library =
  (name: string): Chat =>
  (base, key, hasRetries = true) =>
    run(process.execPath, [`${HERE}chat.mjs`, name, base, key, ...(hasRetries ? [] : ['0'])], {});

/** As a command that sends only its requests and stores nothing. */
const claudeCode: Chat = (base, key, hasRetries = true) =>
  run(`${HERE}node_modules/.bin/claude`, ['--print', 'Say hello.', '--model', 'tiny:latest'], {
    ANTHROPIC_BASE_URL: base,
    ANTHROPIC_AUTH_TOKEN: key,
    ANTHROPIC_SMALL_FAST_MODEL: 'tiny:latest',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...(!hasRetries && { CLAUDE_CODE_MAX_RETRIES: '0' }),
  });

const CLIENTS: readonly (readonly [name: string, chat: Chat])[] = [
  ...LIBRARIES.map((name) => [name, library(name)] as const),
  ['Claude Code', claudeCode],
];

describe('with the right key', () => {
  for (const [name, chat] of CLIENTS)
    it(`${name} gets a chat`, async () => {
      const { status, output } = await chat(BASE, TOKEN);
      assert.equal(status, 0, output);
      assert.match(output, /Hello/);
    });
});

// Claude Code has its own messages for these.
for (const [what, base, key, says, claudeSays] of [
  ['a wrong key', BASE, `${TOKEN}x`, /Missing or unknown bearer token/, /Not logged in/],
  [
    'a base URL without its path',
    HOST,
    TOKEN,
    /base URL is https:\/\/ia\.enso\.4nkweb\.com\/ollama/,
    /issue with the selected model/,
  ],
] as const)
  describe(`with ${what}`, () => {
    for (const [name, chat] of CLIENTS)
      it(`${name} shows it at once`, async () => {
        const { status, output, elapsedMs } = await chat(base, key);
        assert.notEqual(status, 0, output);
        assert.match(output, chat === claudeCode ? claudeSays : says);
        assert.ok(elapsedMs < 15_000, `${elapsedMs} ms`);
      });
  });

describe('with a dead backend', () => {
  before(() => deploy({ IA_ENSO_BACKEND_IP: '192.168.1.100' }));

  // By default, clients retry for minutes, as a backend may come back.
  for (const [name, chat] of CLIENTS)
    it(`${name} shows it`, async () => {
      const { status, output } = await chat(BASE, TOKEN, false);
      assert.notEqual(status, 0, output);
      assert.match(output, /cannot reach the service/);
    });
});
