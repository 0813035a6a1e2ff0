/** Each check against a real nginx: content with the site as it is, and not with it spoilt in one way. */
import './checks-trust.ts';
import '../lab/enter.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CheckTarget, runChecks, streams } from '../../lib/checks.ts';
import { site } from '../../sites/ia.enso.4nkweb.com.ts';
import { looseMap, SABOTAGES, tunnel } from './checks-sabotage.ts';
import {
  issue,
  issueSelfSigned,
  NAME,
  prepare,
  type Sabotage,
  served,
  startBackend,
  TOKEN,
} from './checks-site.ts';

const checks = await site.checks();
const TARGET: CheckTarget = { serverName: NAME, address: '127.0.0.1', token: TOKEN };

let stop = () => {};
before(async () => {
  prepare();
  issue('other-name', { name: 'other.example' });
  issue('expired', { days: -2 });
  issue('ending', { days: 3.5 });
  issue('ending-soon', { days: 14.5 });
  issueSelfSigned('self-signed');
  stop = await startBackend();
});
after(() => stop());

/** Runs the site's checks, and whatever they say, looks for the token in it. */
async function run(sabotage: Sabotage, target = TARGET) {
  const results = await served(sabotage, () => runChecks(checks, target));
  assert(!JSON.stringify(results).toLowerCase().includes(TOKEN.reveal().toLowerCase()));
  return Object.fromEntries(results.map((result) => [result.name, result]));
}

type Results = Awaited<ReturnType<typeof run>>;
const named = (results: Results, status: string) =>
  Object.values(results).flatMap((result) => (result.status === status ? result.name : []));
/** Those that another way than the name's own, or no token of the scope, keeps from being made; verify.test.ts has them. */
const elsewhere = ['inference scope', 'public DNS', 'backend ports'];
const names = checks.map(({ name }) => name).filter((name) => !elsewhere.includes(name));

test('all are content with the site as it is, in under two seconds', async () => {
  const results = await run({});
  assert.deepEqual(named(results, 'passed'), names);
  for (const { name, milliseconds } of Object.values(results))
    assert(name === 'streaming' || milliseconds < 2000, `${name} took ${milliseconds} ms`);
});

test('says that a model which is silent too long may still be loading', async () => {
  const completions = '/ollama/v1/chat/completions?silent=9';
  const slow = streams({ models: '/ollama/v1/models', completions, tokenVariable: 'T' });
  const [result] = await served({}, () => runChecks([slow], { ...TARGET, timeoutMs: 1000 }));
  assert.equal(result?.status, 'failed');
  assert.match(
    result?.detail ?? '',
    /completions\S+ no answer within 1 s\..*may still be loading.*run it again/,
  );
});

test('all are content through a tunnel that is no socket', async () => {
  assert.deepEqual(named(await run({}, { ...TARGET, address: undefined, open: tunnel }), 'passed'), names);
});

test('without a bearer, what needs one is skipped and the rest is made', async () => {
  const results = await run({}, { ...TARGET, token: undefined });
  assert.deepEqual(named(results, 'skipped'), ['bearer gate opens', 'streaming', ...elsewhere]);
  assert.deepEqual(named(results, 'failed'), []);
  assert.match(results.streaming?.detail ?? '', /set IA_ENSO_OLLAMA_BEARER_TOKEN/);
});

for (const [fact, sabotage, failing, says] of SABOTAGES) {
  test(`notices ${fact}`, async () => {
    const results = await run(sabotage);
    assert.deepEqual(named(results, 'failed'), failing, JSON.stringify(results, undefined, 1));
    for (const name of failing) assert.match(results[name]?.detail ?? '', says);
  });
}

test('notices a gate that ignores case', async () => {
  const results = await run({ replace: /include \S+\/bearers\/\*\.map;/, by: looseMap() });
  assert.deepEqual(named(results, 'failed'), ['bearer gate refuses']);
  assert.match(
    results['bearer gate refuses']?.detail ?? '',
    /gave 200 to a case-changed one\..*ignores case.*Deploy/,
  );
});

test('warns of a certificate that ends in two weeks', async () => {
  const results = await run({ certificate: 'ending-soon' });
  assert.deepEqual(named(results, 'warned'), ['certificate']);
  assert.match(results.certificate?.detail ?? '', /14 days left.*certbot renew/);
});

test('says of every check that nothing listens', async () => {
  const made = checks.filter(({ name }) => names.includes(name));
  const results = await runChecks(made, { ...TARGET, port: 9, httpPort: 9 });
  for (const { status, detail } of results) {
    assert.equal(status, 'failed');
    assert.match(detail, /ECONNREFUSED.*Look whether nginx runs/);
  }
});
