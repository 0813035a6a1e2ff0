/** Few `ssh -G` for many hosts, and the same answers, with the real ssh over configurations in a folder of the test. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { askingOnce } from '../../lib/ssh/ask-once.ts';
import { type HostSettings, readHostConfig } from '../../lib/ssh/ssh-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatepost-ask-'));
const [file, more] = [join(directory, 'config'), join(directory, 'more.conf')];
after(() => rmSync(directory, { recursive: true }));

const HOSTS: readonly HostSettings[] = ['10.0.0.1', 'b', 'UPPER.lan'].map((host) => ({ host, user: 'u' }));

/** How often ssh is asked about three hosts with this configuration. The answers must be those that each gets for itself. */
async function questions(config: string, included = ''): Promise<number> {
  writeFileSync(file, config, { mode: 0o600 });
  writeFileSync(more, included, { mode: 0o600 });
  let count = 0;
  const ask = askingOnce((settings) => {
    count += 1;
    return readHostConfig(settings, [file]);
  });
  const answers = await Promise.all(HOSTS.map((settings) => ask(settings)));
  assert.deepEqual(answers, await Promise.all(HOSTS.map((settings) => readHostConfig(settings, [file]))));
  return count;
}

describe('ssh is asked once', () => {
  for (const [name, config] of [
    ['without any configuration', ''],
    ['where what is set is set for all', 'User alice\nHost *\n  Port 2200\n  IdentityFile ~/.ssh/%h\n'],
    ['where all have one name', 'HostName 10.9.9.9\nMatch all\nPort 2200\n'],
    ['where a file that is included says nothing else', `Include ${more}\nHost=*\nProxyJump gate\n`],
    ['whatever comments say', '# Host b\n  #Match host b\n#HostName %h\n'],
  ] as const)
    it(name, async () => assert.equal(await questions(config), 1));
});

describe('ssh is asked about each host', () => {
  for (const [name, config, included] of [
    ['where one has a block of its own', 'Host b\n  User bob\n'],
    ['where a pattern leaves one out', 'Host * !b\n  Port 2200\n'],
    ['where blocks match by other things', 'match host b\n  Port 2200\n'],
    ['where names are made of names', 'HostName %h.lan\n'],
    ['where an included file has blocks', `Include ${more}\n`, '  host = "b"\nUser bob\n'],
    ['where such a file is included for some', `Host b\nInclude ${more}\n`, 'User bob\n'],
  ] as const)
    it(name, async () => assert.equal(await questions(config, included), HOSTS.length));
});

it('asks for each user and port that is set', async () => {
  let count = 0;
  const ask = askingOnce(async () => {
    count += 1;
    return undefined;
  });
  for (const user of ['a', 'b', 'a']) for (const { host } of HOSTS) await ask({ host, user });
  assert.equal(count, 2);
});

it('fails where the configuration is broken, and leaves no promise behind', async () => {
  const ask = askingOnce(() => Promise.reject(new Error('broken')));
  for (const settings of HOSTS) {
    await assert.rejects(ask(settings), /broken/);
    // A rejection that nobody awaits is told only now.
    await new Promise(setImmediate);
  }
});
