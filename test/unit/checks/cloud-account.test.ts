/** Whether an account at a provider can be spent, by what the backend reports of itself. */
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
const answer = (status: number, value: unknown = {}, headers = {}) => ({
  status,
  headers,
  body: JSON.stringify(value),
});
const ON = answer(200, { cloud: { disabled: false } });
const LOCAL = answer(200, { models: [{ name: 'a' }] });
const REMOTE = answer(200, {
  models: [{ name: 'a' }, { name: 'b:cloud', remote_host: 'https://ollama.com' }],
});
const OWNER = answer(200, { name: 'owner', email: 'o@example.org' });
const NOBODY = answer(401, { error: 'unauthorized' });
const GATE = answer(401, {}, { 'www-authenticate': 'Bearer' });

for (const [fact, disabled, models, account, status, says] of [
  ['cloud models turned off', answer(200, { cloud: { disabled: true } }), REMOTE, undefined, 'passed', /off/],
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
  ['a list of cloud models, and no word of the account', ON, REMOTE, undefined, 'warned', /lists 1 model/],
  ['a version before cloud models', answer(404), LOCAL, answer(404), 'passed', /This version/],
  ['a version without the switch, and an account', answer(404), LOCAL, OWNER, 'warned', /signed in/],
  ['no way out to ollama.com', ON, LOCAL, answer(200, null), 'skipped', /\/me 200/],
  ['no answer in time', ON, LOCAL, undefined, 'skipped', /\/me nothing in time/],
  [
    'a token of scope inference',
    answer(403),
    LOCAL,
    answer(403),
    'skipped',
    /\/status returns 403.*scope full in T/,
  ],
  ['a token that the gate does not know', GATE, GATE, GATE, 'skipped', /returns 401/],
  ['a backend that is down', answer(502), answer(502), answer(502), 'skipped', /returns 502/],
  [
    'another kind of answer',
    answer(200, { cloud: 'disabled' }),
    answer(200, []),
    answer(200, { name: 7 }),
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
