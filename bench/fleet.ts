/** A deploy to many proxies against one to a single proxy, side by side in one lab. All of them share this machine's cores. */
import '../test/lab/enter.ts';
import { startLab } from '../test/lab/lab.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const PROXIES = 20;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(latencyMs: number) {
  const lab = await startLab({ proxies: PROXIES, latencyMs, backends: false });
  const env = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'a-token-for-the-bench-0123456789' };
  const deploy = async (ip: string, more: readonly string[]) => {
    const start = performance.now();
    const { status, stderr } = await lab.run('deploy', ['--no-verify', '--json', ...more], {
      env: { ...env, IA_ENSO_BACKEND_IP: ip },
    });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - start;
  };
  const one = ['--host', lab.proxy.address];
  await deploy('192.168.1.1', []);
  const times = {
    one: [] as number[],
    all: [] as number[],
    oneUnchanged: [] as number[],
    allUnchanged: [] as number[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = [`192.168.1.${2 * round + 2}`, `192.168.1.${2 * round + 3}`];
    times.one.push(await deploy(first, one));
    times.oneUnchanged.push(await deploy(first, one));
    times.all.push(await deploy(second, []));
    times.allUnchanged.push(await deploy(second, []));
  }
  await lab.stop();
  return times;
}

for (const latencyMs of [0, 100]) {
  const { one, all, oneUnchanged, allUnchanged } = await measure(latencyMs);
  const ratio = (many: readonly number[], single: readonly number[]) =>
    `${median(many).toFixed(0)} ms / ${median(single).toFixed(0)} ms = ${(median(many) / median(single)).toFixed(2)} x`;
  console.log(
    `round trip ${latencyMs} ms: ${PROXIES} proxies / one: changed ${ratio(all, one)}; unchanged ${ratio(allUnchanged, oneUnchanged)}`,
  );
}
