/** A deploy against bare OpenSSH doing the least that a deploy must do, side by side in one run. */
import '../test/lab/enter.ts';
import { execFileSync } from 'node:child_process';
import { startLab } from '../test/lab/lab.ts';

const ROUNDS = Number(process.argv[2] ?? 7);
const LEAST = 'cat >/dev/null; sudo -n nginx -t && sudo -n systemctl reload nginx';

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Medians of a deploy that changes the vhost, of one that changes nothing, and of OpenSSH, in milliseconds. */
async function measure(latencyMs: number) {
  const lab = await startLab({ latencyMs, backends: false });
  const env = { ...lab.env, IA_ENSO_OLLAMA_BEARER_TOKEN: 'a-token-for-the-bench-0123456789' };
  const jump = `ncantu@4nk.myftp.biz:${lab.env.DEPLOY_SSH_PROXY_PORT ?? 22}`;
  const deploy = async (ip: string, expected: string) => {
    const args = ['--no-verify', '--json'];
    const { stdout, stderr } = await lab.run('deploy', args, { env: { ...env, IA_ENSO_BACKEND_IP: ip } });
    const { outcome, milliseconds } = JSON.parse(stdout).hosts[0];
    if (outcome !== expected) throw new Error(`${outcome}: ${stderr}`);
    phases.push(milliseconds);
  };
  const phases: Record<string, number>[] = [];
  const ssh = () =>
    execFileSync('ssh', ['-o', 'BatchMode=yes', '-J', jump, 'ncantu@192.168.1.100', LEAST], {
      env,
      input: '',
      stdio: 'pipe',
    });
  await deploy('192.168.1.1', 'applied');
  const times = { changed: [] as number[], unchanged: [] as number[], openssh: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.openssh.push(await timed(ssh));
    times.changed.push(await timed(() => deploy(`192.168.1.${round + 2}`, 'applied')));
    times.unchanged.push(await timed(() => deploy(`192.168.1.${round + 2}`, 'unchanged')));
  }
  const wait = median(phases.flatMap(({ reload }) => (reload === undefined ? [] : [reload])));
  await lab.stop();
  return {
    ...Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])),
    wait,
  } as Record<'changed' | 'unchanged' | 'openssh' | 'wait', number>;
}

for (const latencyMs of [0, 100]) {
  const { changed, unchanged, openssh, wait } = await measure(latencyMs);
  const base = openssh + wait;
  console.log(
    `round trip ${latencyMs} ms: OpenSSH ${openssh.toFixed(0)} ms + wait ${wait.toFixed(0)} ms = ${base.toFixed(0)} ms; ` +
      `deploy ${changed.toFixed(0)} ms = ${(changed / base).toFixed(2)} x; unchanged ${unchanged.toFixed(0)} ms`,
  );
}
