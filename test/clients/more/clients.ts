/** Large clients through the gate (`npm run test:clients`): each with the right key, a wrong one, a dead backend, a wrong base URL. */
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

/** One chat by a client, with its own number of retries or with none; what it shows, and how long it took. */
type Chat = (
  base: string,
  key: string,
  hasRetries?: boolean,
) => Promise<{ status: number; shown: string; took: number }>;

const run = async (program: string, args: readonly string[], env: Record<string, string>) => {
  const start = performance.now();
  const more = { PATH, HOME: lab.directory, NODE_EXTRA_CA_CERTS: `${lab.env.NODE_EXTRA_CA_CERTS}`, ...env };
  const child = spawnProcess(
    { env: more, cwd: lab.directory, stdio: ['ignore', 'pipe', 'pipe'] },
    program,
    args,
  );
  const { status, stdout, stderr } = await finished(child);
  return { status, shown: stdout + stderr, took: performance.now() - start };
};

const library =
  (name: string): Chat =>
  (base, key, hasRetries = true) =>
    run(process.execPath, [`${HERE}chat.mjs`, name, base, key, ...(hasRetries ? [] : ['0'])], {});

/** As a command: it sends nothing but its requests, and keeps nothing. */
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
      const { status, shown } = await chat(BASE, TOKEN);
      assert.equal(status, 0, shown);
      assert.match(shown, /Hello/);
    });
});

// Claude Code has words of its own for these.
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
        const { status, shown, took } = await chat(base, key);
        assert.notEqual(status, 0, shown);
        assert.match(shown, chat === claudeCode ? claudeSays : says);
        assert.ok(took < 15_000, `${took} ms`);
      });
  });

describe('with a dead backend', () => {
  before(() => deploy({ IA_ENSO_BACKEND_IP: '192.168.1.100' }));

  // By default they try again, for minutes: a backend may come back.
  for (const [name, chat] of CLIENTS)
    it(`${name} shows it`, async () => {
      const { status, shown } = await chat(BASE, TOKEN, false);
      assert.notEqual(status, 0, shown);
      assert.match(shown, /cannot reach the service/);
    });
});
