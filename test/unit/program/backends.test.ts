/** The reports of backends: requested by the real shell program, parsed, and compared. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { backendPoints } from '../../../lib/commands/views/backend-views.ts';
import { type BackendStatus, backendsIn } from '../../../lib/remote/backend-rows.ts';
import { site } from '../../../sites/ia.enso.4nkweb.com.ts';
import { directory, run } from './run-parts.ts';

/** A machine in a separate process, since running the shells blocks this one. */
const MACHINE = String.raw`
const long = JSON.stringify({ models: Array.from({ length: 100 }, (_, i) => ({ name: 'model-' + i, digest: 'd'.repeat(64) })) });
const answers = {
  '/api/version': (answer) => answer.end('{"version":\n"0.12.0","other":"a\\tb\\u00e9"}'),
  '/long': (answer) => answer.end(long),
  '/hostile': (answer) => answer.end('{"version":"\u001b[31m\t@R1\\\\n\u0000\r\n\n@R1 end é"}'),
  '/broken': (answer) => answer.writeHead(500).end('{"version":"1"}'),
  '/endless': (answer) => setInterval(() => answer.write('x'.repeat(100000)), 5),
  '/silent': () => {},
};
const server = require('node:http').createServer((asked, answer) => answers[asked.url](answer));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
const machine = spawn(process.execPath, ['-e', MACHINE], { stdio: ['ignore', 'pipe', 'inherit'] });
let port = '';
before(async () => {
  port = `${(await once(machine.stdout, 'data'))[0]}`.trim();
});
after(() => machine.kill('SIGKILL'));

const SAY = `say() { printf '%s' "$1"; shift; for field; do printf '\\t%s' "$field"; done; echo; }`;

/** The rows of a report, without the first, empty one; `how` runs first. */
function report(path: string, how = ':'): readonly string[] {
  const printed = run(['status'], `${SAY}; PROBE_WAIT=1; ${how}; say_report 127.0.0.1 ${port} ${path}`);
  const [first, ...rows] = printed.split('\n').slice(0, -1);
  assert.equal(first, `row\treport\t127.0.0.1\t${port}\t${path}\t`);
  return rows.map((row) => row.split('\t')[5] ?? '');
}

describe("a machine's report about itself", () => {
  it('is read in one line, of printable characters', () => {
    assert.deepEqual(report('/api/version'), [String.raw`{"version":"0.12.0","other":"a\tb\u00e9"}`]);
  });

  it('is read in pieces that fit into one write each', () => {
    const chunks = report('/long');
    assert.ok(chunks.length > 3 && chunks.every((chunk) => chunk.length <= 2000));
    assert.equal(JSON.parse(chunks.join('')).models.length, 100);
  });

  it('cannot inject a record', () => {
    const rows = report('/hostile');
    assert.equal(rows.length, 1);
    assert.match(rows[0] ?? '', /^[ -~]+$/);
  });

  it('is not read from an error', () => assert.deepEqual(report('/broken'), []));

  it('is bounded in size and in time', () => {
    const start = performance.now();
    assert.ok(report('/endless').join('').length <= 500_000);
    assert.deepEqual(report('/silent'), []);
    // Six times one second, for the three shells.
    assert.ok(performance.now() - start < 12_000);
  });

  const hasBusybox = spawnSync('busybox', ['true']).status === 0;
  it('is read without bash, by nc', { skip: !hasBusybox }, () => {
    const tools = join(directory, 'tools');
    mkdirSync(tools);
    symlinkSync(
      spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim(),
      join(tools, 'nc'),
    );
    const noBash = `PATH=${tools}:$PATH; command() { [ "$2" != bash ]; }`;
    assert.equal(report('/api/version', noBash).length, 1);
  });
});

describe('backends', () => {
  const row = (address: string, state: string) => [address, '11434', state];
  const output = (address: string, path: string, ...chunks: readonly string[]) =>
    ['', ...chunks].map((chunk) => [address, '11434', path, chunk]);
  const read = (backend: string[][], reports: string[][]) =>
    backendsIn({ rows: { backend, report: reports } }, site);

  it('have the version and the models that they report, in pieces', () => {
    const rows = [
      ...output('10.0.0.1', '/api/version', '{"version":', '"0.12.0"}'),
      ...output('10.0.0.1', '/api/tags', `{"models":[{"name":"a","digest":"${'1'.repeat(64)}"}]}`),
    ];
    assert.deepEqual(read([row('10.0.0.1', 'open')], rows), [
      {
        address: '10.0.0.1',
        port: 11434,
        state: 'open',
        version: '0.12.0',
        models: [{ name: 'a', digest: '1'.repeat(12) }],
      },
    ]);
  });

  it('have no report if they were not queried, and an empty version if they did not answer', () => {
    const [silent, other] = read(
      [row('10.0.0.1', 'open'), row('10.0.0.2', 'open')],
      output('10.0.0.1', '/api/version'),
    );
    assert.deepEqual([silent?.version, other?.version], ['', undefined]);
    for (const body of ['[]', '{"version":7}', '{"version":"1"', 'null', '{"models":[1,null,{}]}'])
      assert.equal(read([row('10.0.0.1', 'open')], output('10.0.0.1', '/api/version', body))[0]?.version, '');
  });

  it('explain a closed port like the site, if the machine answers on another one', () => {
    const ollama: BackendStatus = { address: '10.0.0.1', port: 11434, state: 'closed' };
    const other: BackendStatus = { address: '10.0.0.1', port: 3001, state: 'open' };
    const text = (...all: BackendStatus[]) => backendPoints(all, site)[0]?.text ?? '';
    assert.match(text(ollama, other), /closed.*OLLAMA_HOST/s);
    assert.doesNotMatch(text(ollama, { ...other, address: '10.0.0.2' }), /OLLAMA_HOST/);
    assert.doesNotMatch(text({ ...other, state: 'closed' }, { ...ollama, state: 'open' }), /OLLAMA_HOST/);
  });

  it('need no attention if they are identical, or alone', () => {
    const one: BackendStatus = {
      address: '10.0.0.1',
      port: 11434,
      state: 'open',
      version: '1',
      models: [{ name: 'a', digest: 'x' }],
    };
    const faults = (...all: BackendStatus[]) =>
      backendPoints(all, site).flatMap(({ status, text }) =>
        status === 'passed' ? [] : `${status}: ${text}`,
      );
    const two = { ...one, address: '10.0.0.2' };
    assert.deepEqual([faults(one), faults(one, two)], [[], []]);
    assert.match(
      backendPoints([one], site)[0]?.text ?? '',
      /open, checked from the proxy: version 1, 1 model$/,
    );
    assert.match(
      faults({ ...one, version: '' }).join(),
      /^warned: .*without an answer to GET \/api\/version/,
    );
    assert.match(faults(one, { ...two, version: '2' }).join(), /^warned: .*1 \(10\.0\.0\.1:11434\), 2 \(10/);
    assert.match(
      faults(one, { ...two, models: [{ name: 'a', digest: 'y' }] }).join(),
      /a is not the same on 10/,
    );
    const many = Array.from({ length: 9 }, (_, i) => ({ name: `m${i}`, digest: '' }));
    assert.match(
      faults(one, { ...two, models: many }).join(),
      /a is not on 10\.0\.0\.2:11434; m0 is not on 10\.0\.0\.1:11434; .*; 5 more\. .*`ollama pull/,
    );
  });
});
