/** The checks of the Nexus appliance with a real nginx and one sabotage at a time (sabotages.ts). */
import '../checks/trust.ts';
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { makeChecks } from '../../../lib/checks/catalog.ts';
import { runChecks } from '../../../lib/checks/run-checks.ts';
import type { CheckTarget } from '../../../lib/model/check.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { site } from '../../../sites/nexus.ts';
import { issue } from '../checks/certificates.ts';
import {
  type Configuration,
  checksToRun,
  filledIn,
  read,
  type Sabotage,
  served,
  startBackend,
  vhost,
} from '../checks/spoiled-nginx.ts';
import { DIR } from '../checks/trust.ts';
import { KEY, PAGE, PUBLIC_NAME } from './appliance.ts';
import { SABOTAGES } from './sabotages.ts';

const checks = await makeChecks(site.checks);
const TARGET: CheckTarget = { serverName: PUBLIC_NAME, token: new Secret(KEY) };

let stop = () => {};
before(async () => {
  mkdirSync(`${DIR}/ui/assets`, { recursive: true });
  writeFileSync(`${DIR}/ui/index.html`, PAGE);
  writeFileSync(`${DIR}/ui/assets/app.js`, 'document.title = "up";\n');
  issue('good', PUBLIC_NAME);
  issue('expired', PUBLIC_NAME, { days: -2 });
  stop = await startBackend('test/lab/stand-ins/nexus.ts');
});
after(() => stop());

const configuration: Configuration = (folder) =>
  filledIn(`${read('http-maps/websocket-connection.map.conf.example')}\n${vhost('nexus')}`, {
    __NEXUS_BACKEND_IP__: '127.0.0.1',
    __DEFAULT_SERVER__: '',
    __SERVER_NAME__: PUBLIC_NAME,
    __CERTIFICATE__: `${folder}/fullchain.pem`,
    __CERTIFICATE_KEY__: `${folder}/privkey.pem`,
    '/opt/nexus/ui': `${DIR}/ui`,
  });

const run = (spoil: Partial<Sabotage>) =>
  served(configuration, spoil, (address) => runChecks(checksToRun(checks, spoil), { ...TARGET, address }));

test('all pass on a healthy appliance', async () => {
  const results = await run({});
  for (const { status, name, detail } of results) assert.equal(status, 'passed', `${name}: ${detail}`);
});

// Timed checks run only if they must fail, so the others can run concurrently.
describe('the checks detect', { concurrency: 3 }, () => {
  for (const sabotage of SABOTAGES)
    test(sabotage.fact, async () => {
      const { fails = [], says } = sabotage;
      const results = await run(sabotage);
      const wrong = results.filter(({ status }) => status !== 'passed');
      assert.deepEqual(
        wrong.map(({ name }) => name),
        fails,
        JSON.stringify(results, undefined, 1),
      );
      for (const { detail } of wrong) assert.match(detail, says);
    });
});

test('reports a virtual key unknown to the AI Gateway without blaming the nginx gate', async () => {
  const token = new Secret('nvk-of-another-appliance');
  const results = await served(configuration, {}, (address) =>
    runChecks(checks, { ...TARGET, address, token }),
  );
  const wrong = results.filter(({ status }) => status !== 'passed');
  assert.deepEqual(
    wrong.map(({ name }) => name),
    ['streaming'],
  );
  assert.match(wrong[0]?.detail ?? '', /^the AI Gateway rejects NEXUS_VIRTUAL_KEY \(401\).*set it/);
});

test('every check is sabotaged', () => {
  const sabotaged = new Set(SABOTAGES.flatMap(({ fails = [] }) => fails));
  assert.deepEqual(
    checks.flatMap(({ name }) => (sabotaged.has(name) ? [] : name)),
    [],
  );
});
