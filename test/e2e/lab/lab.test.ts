/** The lab works as the other end-to-end tests expect. */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startLab } from '../../lab/namespaces/lab.ts';
import { local, typescript } from '../../lab/namespaces/process.ts';

const failing = local({ nothrow: true });
const JUMP = 'ncantu@4nk.myftp.biz';

async function traces(): Promise<string> {
  const { stdout } =
    await local`ip -o link | cut -d: -f2; ls -A /run /root; ps -eo args; cut -d' ' -f2 /proc/mounts`;
  return stdout.replace(/^(\/bin\/)?(ps|bash|cut|ls|ip|\[).*\n/gm, '');
}

/** What a client receives through the jump host's relay, until the end or 300 ms of silence. */
async function hear(): Promise<{ bytes: number; end: string; socket: Socket }> {
  const socket = connect(2222, '4nk.myftp.biz');
  let bytes = 0;
  socket.on('data', (part: Buffer) => {
    bytes += part.length;
  });
  const ended = once(socket, 'end').then(
    () => 'fin',
    (error: NodeJS.ErrnoException) => error.code ?? '',
  );
  const end = await Promise.race([ended, sleep(600, 'silence')]);
  return { bytes, end, socket };
}

describe('the lab', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ relays: ['jump', 'proxy'] });
  });
  after(() => lab.stop());

  test("the proxy's SSH is unreachable for the operator", async () => {
    const { exitCode, stderr } = await failing`ssh -o BatchMode=yes ncantu@192.168.1.100 true`;
    assert.equal(exitCode, 255);
    assert.match(stderr, /Network is unreachable/);
    const open = await failing`ssh -o BatchMode=yes ncantu@203.0.113.100 true`;
    assert.match(open.stderr, /Connection refused/);
  });

  test('plain OpenSSH reaches the proxy through the jump host, each with its own key', async () => {
    const { stdout } = await local`ssh -o BatchMode=yes -J ${JUMP} ncantu@192.168.1.100 hostname`;
    assert.equal(stdout, 'proxy\n');
    const key = 'cat /etc/ssh/ssh_host_ed25519_key.pub';
    assert.notEqual((await lab.jump.sh(key)).stdout, (await lab.proxy.sh(key)).stdout);
  });

  test('both relays reach sshd', async () => {
    const jump = `${JUMP}:${lab.env.DEPLOY_SSH_PROXY_PORT}`;
    const before = lab.relay.connections;
    const port = `${lab.env.IA_ENSO_PROXY_PORT}`;
    const { stdout } = await local`ssh -o BatchMode=yes -J ${jump} -p ${port} ncantu@192.168.1.100 hostname`;
    assert.equal(stdout, 'proxy\n');
    assert.equal(lab.relay.connections, before + 1);
    assert.equal(lab.proxyRelays[0]?.connections, 1);
    const { up, down } = await lab.relay.traffic();
    assert.ok(up > 2000 && down > 2000, `${up} up, ${down} down`);
  });

  test("nginx serves Debian's default page on the public name, and on IPv6", async () => {
    assert.match((await local`curl -s http://ia.enso.4nkweb.com/`).stdout, /Welcome to nginx/);
    assert.match((await lab.proxy.sh('curl -s http://[::1]/')).stdout, /Welcome to nginx/);
  });

  test('sudo needs no password for ncantu, and asks nosudo for one', async () => {
    assert.equal((await lab.proxy.sh('sudo -n id -u', { user: 'ncantu' })).stdout, '0\n');
    const refused = await lab.proxy.sh('sudo -n true', { user: 'nosudo' });
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /a password is required/);
    assert.match((await lab.proxy.sh('cat /var/log/sudo.log')).stdout, /COMMAND=\/usr\/bin\/id/);
    const { exitCode } = await local`ssh -o BatchMode=yes -J nosudo@4nk.myftp.biz nosudo@192.168.1.100 true`;
    assert.equal(exitCode, 0);
  });

  test('systemctl reloads nginx', async () => {
    const workers = async () => (await lab.proxy.sh('pgrep -P "$(cat /run/nginx.pid)"')).stdout;
    const old = (await workers()).split('\n')[0] ?? '';
    assert.equal((await lab.proxy.sh('sudo -n systemctl reload nginx', { user: 'ncantu' })).status, 0);
    for (let tries = 40; tries > 0 && (await workers()).includes(old); tries--) await sleep(50);
    assert.ok(!(await workers()).includes(old));
  });

  test("the site's certificate is from a CA that the operator trusts", async () => {
    const verify = 'openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt';
    const live = '/etc/letsencrypt/live/ia.enso.4nkweb.com';
    assert.equal((await lab.proxy.sh(`${verify} ${live}/fullchain.pem`)).status, 0);
    assert.equal((await lab.proxy.sh(`stat -c %a ${live}/privkey.pem`)).stdout, '600\n');
  });

  test('the backend answers on the LAN only', async () => {
    const models = await lab.proxy.sh('curl -sf http://192.168.1.164:11434/api/tags');
    assert.equal(models.status, 0, models.stderr);
    assert.equal((await lab.proxy.sh('curl -s http://192.168.1.164:3001/api/ping')).status, 0);
    assert.equal((await failing`curl -s -m 2 http://192.168.1.164:11434/`).exitCode, 7);
  });

  const failed = async (kind: 'fin' | 'rst' | 'freeze') => {
    await lab.relay.fault({ kind, direction: 'down', afterBytes: 10 });
    return hear();
  };
  for (const kind of ['fin', 'rst', 'freeze'] as const) {
    test(`the relay's ${kind} breaks the next connection, and only that one`, async () => {
      const end = { fin: 'fin', rst: 'ECONNRESET', freeze: 'silence' }[kind];
      let broken = await failed(kind);
      // If this process is slow to read, the kernel may report a reset as an end.
      for (let tries = 0; kind === 'rst' && tries < 5 && broken.end !== end; tries++)
        broken = await failed(kind);
      assert.equal(broken.end, end);
      if (kind !== 'rst') assert.equal(broken.bytes, 10);
      const complete = await hear();
      assert.ok(complete.bytes > 20, `${complete.bytes} bytes`);
      assert.equal(complete.end, 'silence');
      complete.socket.destroy();
      await lab.relay.heal();
      broken.socket.destroy();
    });
  }

  test('an upload cut on its way up arrives in part', async () => {
    await lab.relay.fault({ kind: 'fin', direction: 'up', afterBytes: 50_000 });
    const upload = failing({ input: 'x'.repeat(200_000) });
    const { exitCode } = await upload`ssh -o BatchMode=yes -p 2222 ${JUMP} ${'cat > /tmp/upload; sync'}`;
    assert.equal(exitCode, 255);
    assert.equal((await lab.relay.traffic()).up, 50_000);
    const arrived =
      'for _ in $(seq 50); do [ ! -s /tmp/upload ] || break; sleep 0.1; done; stat -c %s /tmp/upload';
    const size = Number((await lab.jump.sh(arrived)).stdout);
    assert.ok(size > 0 && size < 50_000, `${size} bytes`);
  });

  test('the relay cuts what is open now, and fails all connections until healed', async () => {
    const { socket } = await hear();
    const [[error]] = await Promise.all([once(socket, 'error'), lab.relay.cut('rst')]);
    assert.equal(error.code, 'ECONNRESET');
    await lab.relay.fault({ kind: 'fin', direction: 'down', afterBytes: 0, connections: 'all' });
    assert.deepEqual([(await hear()).end, (await hear()).end], ['fin', 'fin']);
    await lab.relay.heal();
    const healed = await hear();
    assert.equal(healed.end, 'silence');
    healed.socket.destroy();
  });
});

describe('the lab with latency', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ latencyMs: 100, backends: false });
  });
  after(() => lab.stop());

  test('a handshake and a banner take two round trips, a response one', async () => {
    const start = performance.now();
    const socket = connect(Number(lab.env.DEPLOY_SSH_PROXY_PORT), '4nk.myftp.biz');
    await once(socket, 'data');
    const banner = performance.now();
    socket.write('SSH-2.0-lab\r\n');
    await once(socket, 'data');
    const response = performance.now() - banner;
    socket.destroy();
    assert.ok(banner - start >= 199 && banner - start < 260, `banner after ${banner - start} ms`);
    assert.ok(response >= 99 && response < 150, `answer after ${response} ms`);
  });
});

describe('the lab with a real CA', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ certificate: 'acme', proxies: 2, backends: false });
  });
  after(() => lab.stop());

  test('certbot has a certificate from Pebble, which the operator trusts, on every proxy', async () => {
    const trust = lab.env.NODE_EXTRA_CA_CERTS ?? '';
    const file = `${lab.directory}/fullchain.pem`;
    for (const proxy of lab.proxies) {
      await writeFile(
        file,
        (await proxy.sh('cat /etc/letsencrypt/live/ia.enso.4nkweb.com/fullchain.pem')).stdout,
      );
      assert.match((await local`openssl x509 -noout -issuer -in ${file}`).stdout, /Pebble Intermediate CA/);
      await local`openssl verify -CAfile ${trust} -untrusted ${file} ${file}`;
    }
  });
});

describe('after the lab', () => {
  test('stop leaves no link, file, process or mount', async () => {
    const before = await traces();
    const lab = await startLab({ backends: false });
    assert.notEqual(await traces(), before);
    await lab.stop();
    assert.equal(await traces(), before);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test(`${signal} ends everything`, async () => {
      const before = await traces();
      const env = { ...process.env, GATEPOST_LAB: '' };
      const child = spawn(process.execPath, typescript('test/lab/namespaces/hold-lab.ts'), {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      assert.match(await traces(), /hold-lab/);
      child.kill(signal);
      await once(child, 'close');
      for (let tries = 40; tries > 0 && (await traces()) !== before; tries--) await sleep(50);
      assert.equal(await traces(), before);
    });
  }
});
