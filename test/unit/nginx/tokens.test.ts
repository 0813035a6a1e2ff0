/** The real openssl program, and a missing one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newToken } from '../../../lib/nginx/tokens.ts';
import { StopError } from '../../../lib/util/errors.ts';

test('returns the requested number of random bytes in lowercase hex', async () => {
  assert.match((await newToken()).reveal(), /^[0-9a-f]{64}$/);
  assert.match((await newToken(1)).reveal(), /^[0-9a-f]{2}$/);
});

test('never returns the same token twice', async () => {
  const tokens = await Promise.all(Array.from({ length: 8 }, () => newToken()));
  assert.equal(new Set(tokens.map((token) => token.reveal())).size, 8);
});

test('reports that openssl is missing', async (context) => {
  const before = process.env.PATH;
  context.after(() => {
    process.env.PATH = before;
  });
  process.env.PATH = '/nonexistent';
  await assert.rejects(newToken(), (error: unknown) => {
    assert.ok(error instanceof StopError);
    assert.match(error.message, /openssl cannot be run/);
    return true;
  });
});

test('reports that openssl failed', async () => {
  await assert.rejects(newToken(-1), /openssl rand failed/);
});
