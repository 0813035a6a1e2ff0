/** The evaluation of the access log by every installed awk: counts, quantiles, time limits, both log formats. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { newReport } from '../../../lib/model/host-report.ts';
import { readRecords } from '../../../lib/remote/protocol.ts';
import { requestsIn, usageOf } from '../../../lib/remote/usage-rows.ts';
import { ROOT } from '../../../lib/util/project.ts';
import { quote } from '../../../lib/util/shell.ts';

const AWKS = [['mawk'], ['gawk'], ['original-awk'], ['busybox', 'awk']].filter(
  ([name = '']) => spawnSync(name, ['--help']).error === undefined,
);
const directory = mkdtempSync(join(tmpdir(), 'gatepost-usage-'));
after(() => rmSync(directory, { recursive: true }));
const ID = 'a'.repeat(32);

const part = (name: string): string => readFileSync(new URL(`lib/program/sh/${name}.sh`, ROOT), 'utf8');

interface Options {
  readonly rotated?: Readonly<Record<string, string | Buffer>>;
  readonly since?: number;
  readonly id?: string;
  readonly clients?: readonly string[];
}

/** The verb's report on a log, which must be the same with every awk. */
function evaluated(log: string, { rotated = {}, since, id = '', clients = [] }: Options = {}) {
  const folder = mkdtempSync(join(directory, 'log-'));
  for (const [name, text] of Object.entries({ 'access.log': log, ...rotated }))
    writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'clients'));
  for (const name of clients) writeFileSync(join(folder, 'clients', `${name}.map`), '');
  const reports = AWKS.map(([name = '', ...args]) => {
    const text = `RUN=R1 FINGERPRINT_DIGITS=12 REQUEST_ID=${quote(id)} SINCE=${since ?? ''} GATE_PATH=/ollama/
ACCESS_LOG=${quote(join(folder, 'access.log'))} CLIENTS=${quote(join(folder, 'clients'))}
awk() { command ${[name, ...args].join(' ')} "$@"; }
${['records', 'report', 'usage'].map(part).join('\n')}
usage`;
    const { stdout, stderr } = spawnSync('sh', ['-s'], { input: text, encoding: 'utf8' });
    assert.equal(stderr, '', name);
    const report = newReport('proxy');
    const reader = readRecords('R1', report);
    for (const line of stdout.split('\n')) reader.line(line);
    assert.equal(reader.verdict(), 'unchanged');
    return { usage: usageOf(report), requests: requestsIn(report) };
  });
  for (const report of reports) assert.deepEqual(report, reports[0]);
  return reports[0] as (typeof reports)[0];
}

interface Line {
  readonly client?: string;
  readonly at?: string;
  readonly request?: string;
  readonly status?: number;
  readonly seconds?: string;
  readonly backend?: string;
  readonly address?: string;
  readonly tail?: string;
}

function line({
  client = 'editor',
  at = '26/Nov/2026:10:00:00 +0000',
  request = 'POST /ollama/v1/chat/completions',
  status = 200,
  seconds = '1.000',
  backend = '0.900',
  address = '192.0.2.7',
  tail = ` ${ID} "192.168.1.164:11434" "200" "0.100"`,
}: Line = {}): string {
  return `${address} ${client} [${at}] https "${request}" ${status} 1000 ${seconds} ${backend} "curl/8"${tail}\n`;
}

const near = (value: number | undefined, expected: number) =>
  assert.ok(value !== undefined && Math.abs(value / expected - 1) < 0.02, `${value} is not ${expected}`);

describe('usage', () => {
  test('counts requests, rejections, errors, aborts, bytes and time by client', () => {
    const { usage } = evaluated(
      [
        line(),
        line({ status: 403, backend: '-' }),
        line({ status: 429, backend: '-' }),
        line({ status: 502, backend: '0.001' }),
        line({ status: 499, backend: '3.000', seconds: '3.000' }),
        line({ client: 'batch', status: 429 }),
        line({ client: '-', status: 401, backend: '-', seconds: '0.000' }),
      ].join(''),
    );
    const [editor, batch, none] = ['editor', 'batch', undefined].map((name) =>
      usage.clients.find(({ client }) => client === name),
    );
    assert.deepEqual(
      [
        editor?.requests,
        editor?.refused,
        editor?.errors,
        editor?.aborted,
        editor?.bytes,
        editor?.backendSeconds,
      ],
      [5, 2, 1, 1, 5000, 3.901],
    );
    assert.deepEqual([batch?.requests, batch?.refused], [1, 0], 'a 429 of the backend is no refusal');
    assert.deepEqual([none?.requests, none?.refused, none?.total], [1, 1, undefined]);
  });

  test('counts a response that the client did not wait for, if the log shows that', () => {
    const tail = (completion: string) => ` ${ID} "192.168.1.164:11434" "200" "0.100" "${completion}"`;
    const { usage } = evaluated(
      line({ tail: tail('OK') }) +
        line({ tail: tail('') }) +
        line({ tail: tail(''), status: 499 }) +
        line({ tail: tail(''), status: 400 }) +
        line({ tail: tail(''), status: 403, backend: '-' }),
    );
    const [editor] = usage.clients;
    assert.deepEqual([editor?.requests, editor?.aborted, editor?.refused], [5, 3, 1]);
  });

  test('gives quantiles within 2 %', () => {
    const times = Array.from({ length: 1000 }, (_, at) => (at + 1) / 100);
    const log = times.map((seconds) =>
      line({ seconds: seconds.toFixed(3), tail: ` ${ID} "a" "200" "${(seconds / 10).toFixed(3)}"` }),
    );
    const [client] = evaluated(log.join('')).usage.clients;
    near(client?.total?.p50, 5);
    near(client?.total?.p95, 9.5);
    near(client?.firstByte?.p50, 0.5);
    near(client?.firstByte?.p95, 0.95);
  });

  test('reads the format of the previous release and several backends, and skips other requests', () => {
    const { usage } = evaluated(
      [
        line({ tail: '' }),
        line({ backend: '0.001, 0.500 : 0.250' }),
        line({ client: '-', request: 'GET /', backend: '0.1' }),
        line({ client: '-', request: 'GET /ollamax/', status: 404, backend: '0.1' }),
        '192.0.2.7 [26/Nov/2026:10:00:00 +0000] http "GET /" 503 100 0.000 "curl/8"\n',
        'garbage\n"\n\n',
        line({ client: 'cut' }).slice(0, 60),
      ].join(''),
    );
    assert.deepEqual(
      usage.clients.map(({ client, requests, backendSeconds }) => [client, requests, backendSeconds]),
      [['editor', 2, 1.651]],
    );
  });

  test('reads rotated and compressed files, and counts those that it cannot read', () => {
    const rotated = {
      'access.log.1': line({ at: '25/Nov/2026:23:59:59 +0000' }),
      'access.log.2.gz': gzipSync(line({ at: '24/Nov/2026:00:00:00 +0100' })),
      'access.log-20261101.gz': gzipSync(line({ at: '29/Feb/2024:12:00:00 -0530', client: 'leap' })),
      'access.log.3.gz': 'not gzip',
      'access.logs': line({ client: 'other' }),
    };
    const { usage } = evaluated(line(), { rotated });
    assert.deepEqual(usage.log, {
      from: '2024-02-29T17:30:00Z',
      to: '2026-11-26T10:00:00Z',
      requests: 4,
      unreadFiles: 1,
    });
    assert.deepEqual(
      usage.clients.map(({ client, requests, firstUsed }) => [client, requests, firstUsed]),
      [
        ['editor', 3, '2026-11-23T23:00:00Z'],
        ['leap', 1, '2024-02-29T17:30:00Z'],
      ],
    );
  });

  test('counts only requests since the given time', () => {
    const at = (seconds: number) => {
      const [, day, month, year, time] = new Date(Date.now() - seconds * 1000).toUTCString().split(' ');
      return `${day}/${month}/${year}:${time} +0000`;
    };
    const { usage } = evaluated(line({ at: at(50) }) + line({ at: at(200) }), { since: 100 });
    assert.equal(usage.log.requests, 1);
  });

  test('names clients without requests, and the addresses with the most rejections', () => {
    const refused = (address: string, count: number) =>
      line({ client: '-', status: 401, backend: '-', address }).repeat(count);
    const many = Array.from({ length: 30_000 }, (_, at) =>
      refused(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 1),
    );
    const { usage } = evaluated(refused('192.0.2.1', 5) + many.join('') + refused('2001:db8::1', 3), {
      clients: ['default', 'editor'],
    });
    assert.deepEqual(usage.unused, ['default', 'editor']);
    assert.deepEqual(
      usage.refusedFrom.slice(0, 2).map(({ address, requests }) => [address, requests]),
      [
        ['192.0.2.1', 5],
        ['2001:db8::1', 3],
      ],
    );
  });

  test('finds a request by its id', () => {
    const id = 'b'.repeat(32);
    const expected = line({
      request: 'GET /ollama/a b\\x22c',
      tail: ` ${id} "10.0.0.1:11434, 10.0.0.2:11434" "502, 200" "-, 0.250"`,
    });
    const { requests } = evaluated(line() + expected, { id });
    assert.deepEqual(requests, [
      {
        at: '2026-11-26T10:00:00Z',
        address: '192.0.2.7',
        client: 'editor',
        request: 'GET /ollama/a b\\x22c',
        status: 200,
        bytes: 1000,
        seconds: 1,
        firstByteSeconds: 0.25,
        backend: '10.0.0.1:11434, 10.0.0.2:11434',
        userAgent: 'curl/8',
      },
    ]);
  });

  test('an empty log gives no usage', () => {
    assert.deepEqual(evaluated('').usage, {
      log: { requests: 0, unreadFiles: 0 },
      clients: [],
      unused: [],
      refusedFrom: [],
    });
  });
});
