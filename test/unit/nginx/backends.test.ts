/** Backends that settings replace: `server` lines, parts of the vhost, checks. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { withoutUnusedChecks } from '../../../lib/config/site-registry.ts';
import { endpointOrNone, endpoints } from '../../../lib/config/validators.ts';
import { withBackends } from '../../../lib/nginx/backends.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { site } from '../../../sites/ia.enso.4nkweb.com.ts';

const template = await readFile(new URL('sites/ia.enso.4nkweb.com.conf', ROOT), 'utf8');
const rendered = (values: Readonly<Record<string, string>>) => withBackends(template, site, values);
const code = (text: string) => text.replace(/^ *#.*\n/gm, '');

describe('the vhost', () => {
  test('is unchanged without such a setting', () => assert.equal(rendered({}), template));

  test('has a server line for each Ollama machine, with the default port if none is given', () => {
    const text = code(rendered({ IA_ENSO_OLLAMA_BACKENDS: '10.0.0.1,10.0.0.2:9' }));
    assert.match(text, /least_conn;\n {4}server 10\.0\.0\.1:11434;\n {4}server 10\.0\.0\.2:9;\n/);
    assert.match(text, /upstream ia_enso_ollama_first \{\n {4}server 10\.0\.0\.1:11434; {2}# the first\n\}/);
    assert.match(text, /return 419;/);
    assert.match(text, /server __IA_ENSO_BACKEND_IP__:3001;/);
  });

  test('has no first machine if there is only one', () => {
    const text = code(rendered({ IA_ENSO_OLLAMA_BACKENDS: '10.0.0.1' }));
    assert.match(text, /server 10\.0\.0\.1:11434;/);
    assert.doesNotMatch(text, /first|419|__IA_ENSO_BACKEND_IP__:11434/);
  });

  test('has no AnythingLLM parts without one, and returns 404 at the root', () => {
    const text = code(rendered({ IA_ENSO_ANYTHINGLLM: 'none' }));
    assert.doesNotMatch(text, /anythingllm|3001|ia_enso_page/);
    assert.match(text, /location \/ \{\n {8}types \{ \}\n {8}default_type text\/plain;\n {8}return 404 /);
    assert.equal(text.split('{').length, text.split('}').length);
  });
});

test('a site without AnythingLLM does not check it', () => {
  const makers = withoutUnusedChecks(site, { IA_ENSO_ANYTHINGLLM: 'none' }).checks.map(({ maker }) => maker);
  assert.ok(
    !makers.includes('webInterface') && !makers.includes('webSocket') && makers.includes('bearerGate'),
  );
  const all = { IA_ENSO_ANYTHINGLLM: '10.0.0.1', IA_ENSO_CORS_ORIGINS: 'https://chat.example.org' };
  assert.equal(withoutUnusedChecks(site, all), site);
});

test('a site without origins does not check CORS', () => {
  const named = (values: Record<string, string>) =>
    withoutUnusedChecks(site, values).checks.some(({ maker }) => maker === 'crossOrigin');
  assert.deepEqual([named({}), named({ IA_ENSO_CORS_ORIGINS: 'https://a.example' })], [false, true]);
});

test('backends are addresses with or without a port', () => {
  assert.deepEqual(endpoints.read('10.0.0.1, 10.0.0.2:11435'), ['10.0.0.1', '10.0.0.2:11435']);
  for (const text of [
    '',
    'none',
    '10.0.0.1,',
    '10.0.0.1,10.0.0.1',
    '10.0.0.1:0',
    '10.0.0.1:1:2',
    'ollama.lan',
    '010.0.0.1',
    '0.0.0.0',
    '10.0.0.1:',
  ])
    assert.equal(endpoints.read(text), undefined, text);
  for (const text of ['none', '10.0.0.1', '10.0.0.1:3002']) assert.equal(endpointOrNone.read(text), text);
  for (const text of ['', 'None', '10.0.0.1,10.0.0.2'])
    assert.equal(endpointOrNone.read(text), undefined, text);
});
