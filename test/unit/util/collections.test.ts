/** Keys from env files, proxies and errors are looked up in tables without inherited properties. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { hostStatus, statusEntries } from '../../../lib/commands/views/status-view.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { findSites, pickSite } from '../../../lib/config/site-registry.ts';
import { diagnose } from '../../../lib/diagnosis/diagnose.ts';
import { failureCode } from '../../../lib/model/contract.ts';
import { newReport } from '../../../lib/model/host-report.ts';
import { stepTitle } from '../../../lib/output/steps.ts';
import { statusOf } from '../../../lib/remote/status.ts';
import { lookUp } from '../../../lib/util/collections.ts';

const NOW = '2026-11-22T18:24:20Z';
const INHERITED = Object.getOwnPropertyNames(Object.prototype);
const folder = mkdtempSync(join(tmpdir(), 'gatepost-look-up-'));
after(() => rmSync(folder, { recursive: true }));

const word = fc.oneof(fc.constantFrom(...INHERITED), fc.string());
const forEveryWord = (judge: (text: string) => void) => {
  for (const text of INHERITED) judge(text);
  fc.assert(fc.property(word, judge));
};

test('a lookup finds own keys only', () => {
  const table = fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true });
  fc.assert(
    fc.property(table, word, (entries, text) => {
      assert.equal(lookUp(entries, text), new Map(Object.entries(entries)).get(text));
    }),
  );
});

test('an env file may contain names of object properties', async () => {
  const sites = await findSites();
  const envFile = join(folder, '.env');
  for (const name of [...INHERITED, 'a.b', '-']) {
    writeFileSync(envFile, `${name}=x\n`, { mode: 0o644 });
    const { warnings } = await readSettings(
      pickSite(sites, 'ia.enso.4nkweb.com'),
      sites.values(),
      { envFile },
      {},
    );
    assert.deepEqual(warnings, [], name);
  }
});

test('a failure with an unknown code is explained', () => {
  forEveryWord((code) => {
    const { fix } = diagnose({ code: failureCode(code), text: 'no such text' });
    assert.ok(typeof fix === 'string' && fix !== '', code);
  });
});

test('a step with an unknown name is printed', () => {
  for (const name of INHERITED) assert.equal(stepTitle(name), name.padEnd(stepTitle('reload').length));
});

test('a status with unknown words is printed', () => {
  for (const odd of INHERITED) {
    const rows = {
      release: [['20261122T182420Z-7de2b6', odd, NOW, 'somebody']],
      file: [['/etc/nginx/a.conf', odd]],
      backend: [['192.168.1.164', '3001', odd]],
    };
    const host = { ...newReport('proxy'), rows };
    assert.equal(statusOf(host, {}, NOW).releases[0]?.kind, odd);
    const texts = statusEntries(host, hostStatus(host, { serverName: 'x' }, NOW)).flatMap((entry) =>
      entry.kind === 'point' ? [[entry.status, entry.text] as const] : [],
    );
    assert.ok(
      texts.some(([, text]) => text.startsWith(`${odd}: /etc`)),
      odd,
    );
    assert.ok(
      texts.some(([status, text]) => status === 'failed' && text.includes(`3001 ${odd},`)),
      odd,
    );
  }
});
