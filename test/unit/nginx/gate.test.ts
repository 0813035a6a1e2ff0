/** The bearer gate, written once, with the names of the first site and of another. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { definedVariables } from '../../../lib/nginx/render.ts';
import { rename } from '../../../lib/nginx/template.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { site as first } from '../../../sites/ia.enso.4nkweb.com.ts';
import { gate, gateMap } from '../../../sites/shared/gate.ts';

const read = (name: string) => readFile(new URL(name, ROOT), 'utf8');
const snippets = (await readdir(new URL('sites/snippets/', ROOT))).map((name) => `sites/snippets/${name}`);
const files = ['http-maps/ia-enso-ollama-bearer.map.conf.example', ...snippets.filter(isGates)];
const texts = await Promise.all(files.map(read));
const text = texts.join('\n');

const NAMES = {
  site: 'llm.example.org',
  name: 'llm-1',
  path: '/',
  service: 'llama.cpp',
  inference: 'v1/|health\\z',
  inferencePaths: '/v1/* and /health',
} as const;
const OWN = { token: 'LLM_BEARER_TOKEN', models: '/v1/models', settings: [] } as const;
const second = gate(NAMES, OWN);
const renamed = rename(text, second.names);

function isGates(name: string): boolean {
  return name.startsWith('sites/snippets/gate');
}

test('the gate of the first site is the text of the templates', () => {
  assert.deepEqual(Object.keys(first.gate?.names ?? {}), Object.values(first.gate?.names ?? {}));
  assert.equal(rename(text, first.gate?.names ?? {}), text);
});

test('every name that another site replaces occurs in the text', () => {
  for (const name of Object.keys(second.names)) assert.ok(text.includes(name), name);
});

test('the gate of another site contains nothing of the first', () => {
  assert.doesNotMatch(renamed, /ia.enso|ollama|anythingllm|4nkweb/i);
});

test('the gate of another site has its variables, zones, locations, files, paths and messages', () => {
  for (const part of [
    'The bearer gate in front of llama.cpp',
    'The vhost sites/llm.example.org.conf',
    'include /etc/nginx/llm-1-bearers/*.map;',
    '/etc/nginx/conf.d/llm-1-http-maps.conf',
    'if ($llm_1_authorized != 1)',
    'limit_req zone=llm_1_60 burst=59 nodelay;',
    'error_page 403 429 502 504 @llm_1_refused;',
    "log_format llm_1 '$remote_addr $llm_1_client ",
    '"~^/(?:v1/|health\\z)" 1;',
    'This token is for inference only: /v1/* and /health.',
  ])
    assert.ok(renamed.includes(part), part);
});

test('the data of a gate is derived from its names', () => {
  const { names: _, ...data } = second;
  assert.deepEqual(data, {
    ...OWN,
    clients: '/etc/nginx/llm-1-bearers',
    live: '/etc/nginx/llm-1-live',
    path: '',
    concurrent: [1, 2, 4, 8],
    limits: { 10: 'llm_1_10', 60: 'llm_1_60', 600: 'llm_1_600' },
    variables: 'llm_1',
    logFormat: 'llm_1',
    log: '/var/log/nginx/llm.example.org.access.log',
  });
  assert.equal(gateMap(NAMES).name, 'llm-1-http-maps.conf');
});

test('the name of a gate is short enough for the names of captures', () => {
  const longest = gate({ ...NAMES, name: 'llm-of-twenty-chars1' }, OWN);
  for (const [, name = ''] of rename(text, longest.names).matchAll(/\(\?<(\w+)>/g))
    assert.ok(name.length <= 32, name);
  assert.throws(() => gate({ ...NAMES, name: 'llm-of-twenty-chars-1' }, OWN), /name: must match/);
});

test('the paths allowed for scope inference cannot include everything by mistake', () => {
  for (const inference of ['v1/|', '|v1/', 'v1/||health\\z', ''])
    assert.throws(() => gate({ ...NAMES, inference }, OWN), /inference: must match/, inference);
});

test('a gate below a path has it in its regex, with escaped dots', () => {
  const { names } = gate({ ...NAMES, path: '/v1.5' }, OWN);
  assert.match(rename(text, names), /"~\^\/v1\\\.5\/\(\?:v1\/\|health\\z\)" 1;/);
});

test('a name that contains another is replaced as a whole, and no value is replaced again', () =>
  assert.equal(rename('ab a b.', { a: 'b', ab: 'a$&', 'b.': 'c' }), 'a$& b c'));

// Inlining in one pass would not find a snippet inside a snippet.
test('no snippet includes another, and all responses have the headers of hsts.conf', async () => {
  for (const [i, part] of texts.entries()) {
    assert.doesNotMatch(part, /include snippets\//, files[i]);
    for (const [line] of part.matchAll(/add_header Strict-Transport-Security .*/g))
      assert.equal(line, (await read('sites/snippets/hsts.conf')).trim());
  }
});

test('the variables of two gates are different, and all of their maps are known', () => {
  const of = (content: string) => definedVariables([{ role: 'map', name: 'a.conf', mode: '600', content }]);
  const [one, two] = [of(text), of(renamed)];
  assert.equal(one.length, text.match(/^(?:map|geo) /gm)?.length);
  assert.ok(one.includes('ia_enso_ollama_authorized') && two.includes('llm_1_authorized'));
  assert.deepEqual(
    one.filter((name) => two.includes(name)),
    [],
  );
});
