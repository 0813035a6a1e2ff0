/** Usage of clients from the access log: for people, as JSON, for Prometheus, and for one request. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as d from '../../lab/actors/deploys.ts';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { local } from '../../lab/namespaces/process.ts';

let lab: Lab;
let id = '';

before(async () => {
  lab = await startLab();
  assert.equal((await d.deploy(lab, d.withToken(d.TOKEN))).outcome, 'applied');
  assert.equal((await lab.run('bearers', ['add', 'unused', '--no-verify'])).status, 0);
  for (let at = 0; at < 3; at += 1) await d.gate(d.TOKEN);
  await d.gate('wrong-wrong-wrong-wrong');
  const { stdout } =
    await local`curl -sk -o /dev/null -D - -H ${`Authorization: Bearer ${d.TOKEN}`} https://${d.SITE}/ollama/api/tags?secret=1`;
  const stream = `https://${d.SITE}/ollama/api/chat?pieces=50`;
  await local({ nothrow: true })`curl -sk -m 0.5 -H ${`Authorization: Bearer ${d.TOKEN}`} -d {} ${stream}`;
  id = /^x-request-id: ([0-9a-f]{32})/im.exec(stdout)?.[1] ?? '';
});
after(() => lab.stop());

const usage = (...args: readonly string[]) => lab.run('bearers', ['usage', ...args]);

describe('bearers.ts usage', () => {
  test('counts the requests of each client', async () => {
    const { status, stdout, stderr } = await usage('--json', '--since', '1h');
    assert.equal(status, 0, stderr);
    const [host] = JSON.parse(stdout).hosts;
    assert.equal(host.outcome, 'unchanged');
    const { clients, unused, refusedFrom, log } = host.usage;
    assert.deepEqual(
      clients.map(({ client, requests, refused, aborted }: Record<string, unknown>) => [
        client,
        requests,
        refused,
        aborted,
      ]),
      [
        ['default', 5, 0, 1],
        [undefined, 1, 1, 0],
      ],
    );
    assert.deepEqual(unused, ['unused']);
    assert.equal(refusedFrom.length, 1);
    assert.equal(log.requests, 6);
    assert.ok(clients[0].firstByte.p50 >= 0 && clients[0].bytes > 0);
  });

  test('prints a table, and the period that the log covers', async () => {
    const { status, stdout } = await usage();
    assert.equal(status, 0);
    assert.match(stdout, /^ *default +5 +0 /m);
    assert.match(stdout, /access log, \d{4}-\d\d-\d\d/);
  });

  test('prints only metrics on stdout', async () => {
    const { status, stdout } = await usage('--prometheus');
    assert.equal(status, 0);
    assert.ok(
      stdout
        .split('\n')
        .every((line) => /^(?:# (?:HELP|TYPE) gatepost_\w+ .+|gatepost_\w+\{.*\} [\d.e+-]+|)$/.test(line)),
      stdout,
    );
    assert.match(
      stdout,
      /^gatepost_client_requests\{site="ia.enso.4nkweb.com",host="[\d.]+",client="default"\} 5$/m,
    );
  });

  test('finds a request by its id, without its query string', async () => {
    const { status, stdout } = await usage('--request', id, '--json');
    assert.equal(status, 0);
    const [request] = JSON.parse(stdout).hosts[0].requests;
    assert.deepEqual(
      [request.client, request.request, request.status],
      ['default', 'GET /ollama/api/tags', 200],
    );
    assert.ok(!stdout.includes('secret'));
    const none = await usage('--request', 'f'.repeat(32));
    assert.equal(none.status, 0);
  });

  for (const args of [['--since', 'yesterday'], ['--request', 'x'], ['--json', '--prometheus'], ['somebody']])
    test(`refuses ${args.join(' ')}`, async () => assert.equal((await usage(...args)).status, 2));
});
