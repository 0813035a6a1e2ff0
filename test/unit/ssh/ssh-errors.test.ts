import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Hop } from '../../../lib/ssh/hops.ts';
import { dialError, handshakeError, lostError, openError } from '../../../lib/ssh/ssh-errors.ts';
import { SshError } from '../../../lib/util/errors.ts';

const hop = (label: string): Hop => ({
  label,
  host: '10.0.0.1',
  port: 22,
  user: 'u',
  keys: [],
  keyIsExplicit: true,
  knownHosts: [],
  hostKeyName: '10.0.0.1',
});
const proxy = hop('proxy p');
const jump = hop('jump host j');
const coded = (code: string) => Object.assign(new Error(code), { code });
const stage = {
  firstBytes: 'SSH-2.0-x\r\n',
  handshake: true,
  offered: ['ssh-ed25519 SHA256:x (/k)'],
  accepts: ['publickey'],
  skipped: [],
};
const authentication = Object.assign(new Error('failed'), { level: 'client-authentication' });

describe('a failure of a hop', () => {
  for (const [error, message] of [
    [dialError(proxy, coded('ENOTFOUND')), /^proxy p: .*does not resolve/],
    [dialError(proxy, coded('ECONNREFUSED')), /connection refused/],
    [dialError(proxy, new AggregateError([coded('EHOSTUNREACH')])), /no route to the host/],
    [dialError(proxy, coded('ESTRANGE')), /ESTRANGE/],
    [
      openError(jump, proxy, Object.assign(new Error('x'), { reason: 1 })),
      /^jump host j: forwarding .* prohibited/,
    ],
    [
      openError(jump, proxy, Object.assign(new Error('x'), { reason: 2 })),
      /^proxy p: .*cannot be reached from the jump host j/,
    ],
    [
      handshakeError(proxy, stage, authentication),
      /no key accepted for user u; offered: ssh-ed25519 SHA256:x/,
    ],
    [handshakeError(proxy, { ...stage, accepts: ['password'] }, authentication), /it accepts only password/],
    [
      handshakeError(proxy, { ...stage, firstBytes: 'Not allowed at this time\r\n' }, new Error('x')),
      /sent "Not allowed at this time"/,
    ],
    [handshakeError(proxy, stage, new Error('Too many authentication failures')), /during login: Too many/],
    [lostError(proxy), /^proxy p: connection lost: closed by the other side/],
    [lostError(proxy, coded('ECONNRESET')), /reset by the other side/],
  ] as const)
    it(`recognizes: ${error.message}`, () => {
      assert.match(error.message, message);
      assert.ok(error.advice.length > 20);
    });

  it('names the keys that were skipped, with a fix', () => {
    const locked = new SshError('proxy p', 'the key /k2 is encrypted', 'Add it: `ssh-add /k2`');
    const { message, advice } = handshakeError(proxy, { ...stage, skipped: [locked] }, authentication);
    assert.match(message, /offered: .*; not offered: the key \/k2 is encrypted$/);
    assert.match(advice, /authorized_keys.*\n.*ssh-add \/k2/);
    const alone = handshakeError(proxy, { ...stage, offered: [], skipped: [locked] }, authentication);
    assert.equal(alone, locked);
  });
});
