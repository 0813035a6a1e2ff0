/** Whether clients can spend an account at a provider, according to the backend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CloudAccount, judgeAccount } from '../../../lib/checks/gate/cloud-account.ts';

const OPTIONS: CloudAccount = {
  disabled: { path: '/status', field: ['cloud', 'disabled'] },
  account: { method: 'POST', path: '/me', field: 'name' },
  models: { path: '/tags', field: 'remote_host' },
  service: 'Ollama',
  provider: 'ollama.com',
  fix: 'Turn it off.',
  tokenVariable: 'T',
};
const response = (status: number, value: unknown = {}, headers = {}) => ({
  status,
  headers,
  body: JSON.stringify(value),
});
const ON = response(200, { cloud: { disabled: false } });
const LOCAL = response(200, { models: [{ name: 'a' }] });
const REMOTE = response(200, {
  models: [{ name: 'a' }, { name: 'b:cloud', remote_host: 'https://ollama.com' }],
});
const OWNER = response(200, { name: 'owner', email: 'o@example.org' });
const NOBODY = response(401, { error: 'unauthorized' });
const GATE = response(401, {}, { 'www-authenticate': 'Bearer' });

for (const [fact, disabled, models, account, status, says] of [
  [
    'cloud models turned off',
    response(200, { cloud: { disabled: true } }),
    REMOTE,
    undefined,
    'passed',
    /off/,
  ],
  [
    'an account',
    ON,
    LOCAL,
    OWNER,
    'warned',
    /is signed in.*at the expense of that account, by naming one in a request\. Turn it off\./,
  ],
  ['an account and a cloud model', ON, REMOTE, OWNER, 'warned', /1 model of ollama\.com, such as b:cloud/],
  ['nobody signed in', ON, LOCAL, NOBODY, 'passed', /not signed in/],
  ['nobody signed in, and a model that was pulled before', ON, REMOTE, NOBODY, 'passed', /not signed in/],
  [
    'a list of cloud models, and no response about the account',
    ON,
    REMOTE,
    undefined,
    'warned',
    /lists 1 model/,
  ],
  ['a version before cloud models', response(404), LOCAL, response(404), 'passed', /This version/],
  ['a version without the switch, and an account', response(404), LOCAL, OWNER, 'warned', /signed in/],
  ['no route to ollama.com', ON, LOCAL, response(200, null), 'skipped', /\/me 200/],
  ['no answer in time', ON, LOCAL, undefined, 'skipped', /\/me nothing in time/],
  [
    'a token of scope inference',
    response(403),
    LOCAL,
    response(403),
    'skipped',
    /\/status returns 403.*scope full in T/,
  ],
  ['a token that the gate does not know', GATE, GATE, GATE, 'skipped', /returns 401/],
  ['a backend that is down', response(502), response(502), response(502), 'skipped', /returns 502/],
  [
    'an unexpected format',
    response(200, { cloud: 'disabled' }),
    response(200, []),
    response(200, { name: 7 }),
    'skipped',
    /unknown/,
  ],
] as const)
  test(`${fact}: ${status}`, () => {
    const finding = judgeAccount(OPTIONS, { disabled, models, account });
    assert.equal(finding.status, status, finding.detail);
    assert.match(finding.detail, says);
    assert.doesNotMatch(finding.detail, /owner|o@example/);
  });
