/** Clients and status: the rows of proxies as data, and the settings for clients. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  clientEntry,
  clientFaults,
  clientText,
  endingFaults,
} from '../../../lib/commands/views/client-views.ts';
import { hostStatus, statusEntries } from '../../../lib/commands/views/status-view.ts';
import type { Settings } from '../../../lib/config/settings.ts';
import { type HostReport, newReport } from '../../../lib/model/host-report.ts';
import { clientProgram } from '../../../lib/program/client-program.ts';
import { rollbackProgram } from '../../../lib/program/history-programs.ts';
import { clientsIn, logTime } from '../../../lib/remote/client-rows.ts';
import { statusOf } from '../../../lib/remote/status.ts';
import { Secret } from '../../../lib/util/secret.ts';
import { site } from '../../../sites/ia.enso.4nkweb.com.ts';

const NOW = '2026-11-22T17:40:35Z';
const context = { site, settings: { values: {} } as unknown as Settings };
const report = (rows: Record<string, string[][]>) => ({ ...newReport('10.0.0.1'), rows });

const TIMES: readonly (readonly [string, string | undefined])[] = [
  ['22/Nov/2026:17:40:35 +0000', '2026-11-22T17:40:35Z'],
  ['22/Nov/2026:17:40:35 +0100', '2026-11-22T16:40:35Z'],
  ['01/Jan/2027:00:30:00 -0330', '2027-01-01T04:00:00Z'],
  ['', undefined],
  ['22/Foo/2026:17:40:35 +0000', undefined],
  ['99/Nov/2026:17:40:35 +0000', undefined],
];

for (const [text, time] of TIMES)
  test(`the access log's time ${JSON.stringify(text)} is ${time}`, () => assert.equal(logTime(text), time));

/** In the format of say_clients in lib/program/sh/status.sh; each fingerprint is followed by its expiry. */
const rows = [
  ['bob', 'inference', '60', '2', 'live', '1800000000', 'C', 'R', '', '', 'aaa', '1800000000'],
  ['eve', 'full', '', '', 'suspended', '', 'C', 'R', '', 'exact', 'bbb', '', 'ccc', '1800000000'],
  ['ann', '?', '', '', '', '', '', '', '', ''],
];

test('a client is listed with limits, state and expiry, and with a second fingerprint while its previous token is kept', () => {
  const [bob, eve, ann] = clientsIn(report({ client: rows }));
  assert.deepEqual(bob, {
    name: 'bob',
    scope: 'inference',
    limit: 60,
    concurrent: 2,
    state: 'live',
    expires: '2027-01-15T08:00:00Z',
    created: 'C',
    rotated: 'R',
    fingerprints: ['aaa'],
  });
  assert.deepEqual(
    [eve?.state, eve?.limit, eve?.expires, eve?.isExact],
    ['suspended', undefined, undefined, true],
  );
  assert.deepEqual([eve?.fingerprints, eve?.previousExpires], [['bbb', 'ccc'], '2027-01-15T08:00:00Z']);
  assert.deepEqual([ann?.state, ann?.fingerprints], ['unreadable', []]);
});

test('a client whose file has no line with its name needs attention, under its name or its file', () => {
  const faults = endingFaults(
    report({ client: [...rows.slice(2), ['bob copy', ...(rows[2] ?? []).slice(1)]] }),
    NOW,
  );
  assert.deepEqual(
    faults.map(({ about }) => about),
    ['the client ann', 'the client bob copy'],
  );
  assert.match(`${faults[0]?.text}`, /no token line of this client.*bearers\.ts revoke ann/);
  assert.match(`${faults[1]?.text}`, /bob copy\.map is the name of no client/);
});

test('a gate whose workers cannot see the live files accepts nobody', () => {
  const [fault] = clientFaults({ ...report({}), facts: { unseen: '/etc/nginx/ia-enso-live/x' } }, site);
  assert.match(
    `${fault?.text}`,
    /cannot see \/etc\/nginx\/ia-enso-live\/x, so the gate rejects .*chmod o\+x/,
  );
});

test('the limits that a client can have are those with zones in the maps and the gate', async () => {
  const read = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8');
  const maps = await read('http-maps/ia-enso-ollama-bearer.map.conf.example');
  const gate = await read('sites/snippets/gate.conf');
  const limits = [...maps.matchAll(/zone=(ia_enso_ollama_\d+):\S+ +rate=(\d+)r\/m;/g)];
  assert.deepEqual(
    limits.map(([, zone, perMinute]) => [perMinute, zone]),
    Object.entries(site.gate?.limits ?? {}),
  );
  for (const [, zone, perMinute] of limits)
    assert.ok(gate.includes(`limit_req zone=${zone} burst=${Number(perMinute) - 1} nodelay;`), zone);
});

test('a host without clients reports that the gate rejects every request, or that there is none', () => {
  const text = (facts: HostReport['facts']) => clientEntry({ ...report({}), facts });
  assert.deepEqual(text({ clients: 'none' }), {
    kind: 'text',
    text: '10.0.0.1: no clients; the gate rejects every request',
  });
  assert.deepEqual(text({}), { kind: 'text', text: '10.0.0.1: no clients; the site is not deployed there' });
});

test('the client settings name the site and have <token> as the placeholder', () => {
  const text = clientText(site);
  for (const words of [
    'https://ia.enso.4nkweb.com/ollama/v1',
    "OLLAMA_AUTH_TOKEN='<token>'",
    'OpenAI API Key             <token>',
    'Authorization: Bearer <token>',
  ])
    assert.ok(text.includes(words), words);
});

test('last uses are read from the access log that the vhost writes', async () => {
  const vhost = await readFile(new URL('../../../sites/ia.enso.4nkweb.com.conf', import.meta.url), 'utf8');
  assert.ok(vhost.includes(`access_log ${site.gate?.log} ia_enso;`));
  const format = await readFile(
    new URL('../../../sites/snippets/gate-log-format.conf', import.meta.url),
    'utf8',
  );
  assert.match(format, /log_format ia_enso '\$remote_addr \$ia_enso_ollama_client \[\$time_local\]/);
});

test('a program that revokes contains no token, one that rotates contains one', async () => {
  const { text: revoke } = await clientProgram(context, { verb: 'revoke_client', client: 'bob' }, false);
  assert.doesNotMatch(revoke, /content_0\(\) \{/);
  const token = new Secret('a.token-to-look-for');
  const change = { verb: 'rotate', client: 'bob', token, keepPrevious: true } as const;
  const { text: rotate } = await clientProgram(context, change, false);
  assert.equal(rotate.split('a.token-to-look-for').length, 2);
  assert.match(rotate, /^KEEP='yes'$/m);
  assert.match(rotate, /\nrotate\nexit\n\}\n$/);
});

test('a rollback gets the release as data', async () => {
  const { text } = await rollbackProgram(context, "x'y", true);
  assert.match(text, /^TO='x'\\''y'$/m);
});

test('the newest release is the current one, and verbs are shown as words', () => {
  const status = statusOf(
    report({
      release: [
        ['two', 'revoke_client', NOW, 'a@b', 'bob'],
        ['one', 'apply', NOW, 'a@b', ''],
      ],
    }),
    site,
    NOW,
  );
  assert.equal(status.current, 'two');
  assert.deepEqual(
    status.releases.map(({ kind }) => kind),
    ['revoke client', 'deploy'],
  );
});

test('a missing or invalid certificate is reported', () => {
  const missing = { ...report({}), facts: { certificate: '/c.pem' } };
  assert.match(
    JSON.stringify(statusEntries(missing, hostStatus(missing, site, NOW))),
    /\/c\.pem is missing \(`npx tsx scripts\/bootstrap-tls\.ts`\)/,
  );
  const none = { ...missing, certificate: '' };
  assert.equal(statusOf(none, site, NOW).certificate?.ends, 'unreadable');
});
