/** The origins of browser clients, and the lines of the map that they become. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { origins } from '../../../lib/config/validators.ts';
import { withOrigins } from '../../../lib/nginx/template.ts';
import { ROOT } from '../../../lib/util/project.ts';

const VALID = [
  'https://chat.example.org',
  'http://localhost:3000',
  'https://[2001:db8::1]:8443',
  'app://obsidian.md',
  'chrome-extension://abcdefghijklmnop',
];
const INVALID = [
  '',
  '*',
  'null',
  'chat.example.org',
  'https://chat.example.org/',
  'https://chat.example.org/x',
  'https://CHAT.example.org',
  'https://chat.example.org:443',
  'https://*.example.org',
  'https://u@chat.example.org',
  'https://a.example.org;}',
  'https://a.example.org https://b.example.org',
  'https://a.example.org,,https://b.example.org',
  'https://a.example.org,https://a.example.org',
];

test('accepts origins exactly as browsers send them', () => {
  assert.deepEqual(origins.read(VALID.join(', ')), VALID);
  for (const text of INVALID) assert.equal(origins.read(text), undefined, text);
});

test('each origin becomes one exact line of the map; without origins the text is unchanged', () => {
  const text = 'map $http_origin $x_origin {\n    default "";\n}\n';
  assert.equal(withOrigins(text, []), text);
  assert.equal(
    withOrigins(text, ['https://a.example.org', 'http://localhost:3000']),
    'map $http_origin $x_origin {\n    default "";\n' +
      '    "~^https\\:\\/\\/a\\.example\\.org\\z" $http_origin;\n' +
      '    "~^http\\:\\/\\/localhost\\:3000\\z" $http_origin;\n}\n',
  );
});

test('without origins, the parts of the vhost that only they need are comments', async () => {
  const part =
    '    # [origins\n    #if ($x_asks) {\n    #    return 418;\n    #}\n    # ]\n    # [no X\n    #y;\n    # ]\n';
  assert.equal(withOrigins(part, []), part);
  assert.equal(
    withOrigins(part, ['https://a.example.org']),
    '    if ($x_asks) {\n        return 418;\n    }\n    # [no X\n    #y;\n    # ]\n',
  );
  const gate = await readFile(new URL('sites/snippets/gate.conf', ROOT), 'utf8');
  const active = (text: string) => text.match(/^\s*[^#\s].*\$ia_enso_(?:asks|origin|vary|expose)/gm)?.length;
  assert.deepEqual([active(gate), active(withOrigins(gate, ['https://a.example.org']))], [undefined, 4]);
});
