/** The suite at work on a lab of real parts, in this machine's namespaces; nothing else is touched. */
import '../test/lab/enter.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import chalk from 'chalk';
import { $ } from 'zx';
import { startLab } from '../test/lab/lab.ts';
import { copyProject, ROOT } from '../test/lab/project.ts';

const TOKEN = 'a-token-for-the-demo-0123456789-ABCdef';
const SITE = 'https://ia.enso.4nkweb.com';

const { values: flags } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const start = performance.now();
const say = (text: string) => console.log(`\n${chalk.bold.cyan(`== ${text}`)}`);

say(
  'A lab: an operator, a jump host, a proxy with a stock nginx, a backend; real SSH, sudo, nginx, certbot and CA.',
);
const lab = await startLab({ certificate: 'acme' });
console.log(
  `Up in ${((performance.now() - start) / 1000).toFixed(1)} s. The proxy's SSH is reachable only through the jump host.`,
);

const env = {
  ...lab.env,
  CURL_CA_BUNDLE: lab.env.NODE_EXTRA_CA_CERTS ?? '',
  FORCE_COLOR: chalk.level ? '1' : '0',
};
const shell = $({ env, cwd: ROOT, stdio: 'inherit', nothrow: true });

/** Shows a command as it would be typed, runs it, and insists on its exit status. */
async function type(
  line: string,
  expected = 0,
  more: Record<string, string> = {},
  cwd = ROOT,
): Promise<void> {
  console.log(chalk.dim(`\n$ ${line}`));
  const command = line.replace(/^npx tsx /, 'node --import tsx ');
  const { exitCode } = await shell({ env: { ...env, ...more }, cwd })`sh -c ${command}`;
  if (exitCode !== expected) throw new Error(`${line}: exit status ${exitCode} instead of ${expected}`);
}

/** A request as a client would make it; says what came back and insists on the status. */
async function ask(
  what: string,
  expected: number,
  path: string,
  ...options: readonly string[]
): Promise<void> {
  const { stdout } = await $({ env })`curl -sS -o /dev/null -w %{http_code} ${options} ${SITE}${path}`;
  console.log(`  ${what.padEnd(52)} ${stdout}`);
  if (stdout !== String(expected)) throw new Error(`${what}: ${stdout} instead of ${expected}`);
}

const bearer = (token: string) => ['-H', `Authorization: Bearer ${token}`];
const models = '/ollama/v1/models';
const proven = async () => {
  await ask('without a bearer', 401, models);
  await ask('with a wrong one', 401, models, ...bearer('b-token-for-the-demo-0123456789-ABCdef'));
  await ask('with the right one in another case', 401, models, ...bearer(TOKEN.toLowerCase()));
  await ask('with the right one', 200, models, ...bearer(TOKEN));
};

try {
  say('What would a deploy change? (--dry-run, the first lines)');
  await type('npx tsx scripts/deploy.ts --dry-run | head -n 24');

  say('Deploy, through the jump host, with the checks that follow every change.');
  const withToken = { IA_ENSO_OLLAMA_BEARER_TOKEN: TOKEN };
  await type('npx tsx scripts/deploy.ts', 0, withToken);

  say('The gate, asked by curl.');
  await proven();

  say('A completion, streamed: each piece with its time.');
  await type('npx tsx test/lab/stream.ts', 0, withToken);

  say('AnythingLLM, as a browser meets it.');
  await ask('/anythingllm/ leads to', 200, '/anythingllm/', '-L');
  await ask('the script that its page names', 200, '/index.js');

  say('The same deploy again: nothing to do, no reload.');
  await type('npx tsx scripts/deploy.ts --no-verify', 0, withToken);

  say('A template that nginx refuses: put back and proven; the gate goes on answering.');
  const copy = await copyProject(join(lab.directory, 'broken'));
  const template = join(copy, 'sites/ia.enso.4nkweb.com.conf');
  await writeFile(
    template,
    (await readFile(template, 'utf8')).replace('server {', 'server {\n    proxy_bufering off;'),
  );
  await type('npx tsx scripts/deploy.ts', 1, withToken, copy);
  await proven();

  say(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  if (flags.keep) {
    console.log('The lab stays up as long as this shell: run the scripts, ask with curl; exit ends it.');
    await shell`bash --norc -i`;
  }
} finally {
  await lab.stop();
}
