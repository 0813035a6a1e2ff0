/** The tests that docs/faults.md names exist. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync('docs/faults.md', 'utf8');
const rows = [...page.matchAll(/^\|.*\| ([^|]*) \|$/gm)].map(([, proof = '']) => proof);
const proofs = rows.flatMap((row) => [...row.matchAll(/`([\w/-]+)`(?:: ([^;]+))?/g)]);

test('the page has its table rows', () => assert.ok(proofs.length > 40, `${proofs.length}`));

for (const [, name = '', words = ''] of proofs)
  test(`${name}: ${words}`, () => {
    const file = `test/${/^(unit|distros)\//.test(name) ? name : `e2e/${name}`}.test.ts`;
    assert.ok(existsSync(file), file);
    assert.ok(readFileSync(file, 'utf8').includes(words), `${file} has no test ${words}`);
  });
