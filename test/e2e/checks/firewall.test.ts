/**
 * The backend's firewall: the lines in docs/firewall.md with a real nft, and a backend that listens on loopback only.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Host, type Lab, startLab } from '../../lab/namespaces/lab.ts';

const BACKEND = '192.168.1.164';
/** The commands in the nft section. */
const [, LINES = ''] = /## nft\n.*?```sh\n(.*?)```/s.exec(
  readFileSync(new URL('../../../docs/firewall.md', import.meta.url), 'utf8'),
) ?? [''];

describe("the backend's firewall", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({});
    const { status, stdout } = await lab.run('deploy', ['--no-verify']);
    assert.equal(status, 0, stdout);
  });
  after(() => lab.stop());

  const nft = async (lines: string) => {
    const { status, stderr } = await lab.backend.sh(lines);
    assert.equal(status, 0, stderr);
  };
  const reaches = async (host: Host, port: number): Promise<boolean> =>
    (await host.sh(`timeout 1 bash -c ': </dev/tcp/${BACKEND}/${port}'`)).status === 0;
  const status = async () => {
    const { status: exit, stdout } = await lab.run('status', ['--json']);
    return { exit, host: JSON.parse(stdout).hosts[0] };
  };

  test('an unreachable 11434 with a reachable 3001 is explained by OLLAMA_HOST', async () => {
    await nft(`nft add table inet own; nft add chain inet own in '{ type filter hook input priority 0; }'
      nft add rule inet own in tcp dport 11434 reject with tcp reset`);
    const { exit, host } = await status();
    await nft('nft delete table inet own');
    assert.equal(exit, 3);
    const [fault] = host.attention.filter(({ about }: { about: string }) => about === 'a backend');
    assert.match(fault?.text ?? '', /11434 closed.*127\.0\.0\.1.*OLLAMA_HOST=0\.0\.0\.0/s);
  });

  test('the nft lines need no table, and leave both ports to the proxy only, whether Docker publishes them or not', async () => {
    // Like Docker, redirects packets for the published port before the input chain sees that port.
    await nft(`nft add table ip docker; nft add chain ip docker pre '{ type nat hook prerouting priority dstnat; }'
      nft add rule ip docker pre tcp dport 3001 redirect to :11434
      nft add table inet ufw; nft add chain inet ufw in '{ type filter hook input priority 0; }'
      nft add rule inet ufw in tcp dport 3001 drop`);
    assert.deepEqual([await reaches(lab.jump, 11434), await reaches(lab.jump, 3001)], [true, true]);
    await nft(LINES);
    assert.deepEqual([await reaches(lab.jump, 11434), await reaches(lab.jump, 3001)], [false, false]);
    assert.deepEqual([await reaches(lab.proxy, 11434), await reaches(lab.proxy, 3001)], [true, true]);
    assert.ok(await reaches(lab.backend, 11434), 'the machine itself');
    const { host } = await status();
    assert.deepEqual(
      host.backends.map(({ state }: { state: string }) => state),
      ['open', 'open'],
    );
    await nft('nft delete table inet gatepost');
    assert.equal(await reaches(lab.jump, 11434), true);
  });
});
