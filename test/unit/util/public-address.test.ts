/** Which addresses count as public. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCloudflare, isPublicAddress } from '../../../lib/util/public-address.ts';

const PRIVATE = ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.100', '127.0.0.1', '169.254.1.1'];
const OTHERS = ['100.64.0.1', '0.0.0.0', '::', '::1', 'fd00::1', 'fe80::1%eth0', '::ffff:10.0.0.1'];
const PUBLIC = ['203.0.113.100', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:db8::1', '2a01::1'];

test('addresses that the internet cannot reach are not public', () => {
  for (const address of [...PRIVATE, ...OTHERS]) assert.equal(isPublicAddress(address), false, address);
});

test('all other addresses are public, documentation ranges included', () => {
  for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address);
});

test('recognizes addresses of Cloudflare', () => {
  for (const address of ['104.16.1.1', '172.67.0.9', '2606:4700::1111'])
    assert.ok(isCloudflare(address), address);
  for (const address of PUBLIC) assert.ok(!isCloudflare(address), address);
});
