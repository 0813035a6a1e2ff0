/** The suite at work on a lab of real parts, in this machine's namespaces; nothing else is touched. */
import '../test/lab/namespaces/enter.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyProject } from '../test/lab/actors/project.ts';
import { bearer, say, setStage } from '../test/lab/actors/stage.ts';
import { startLab } from '../test/lab/namespaces/lab.ts';

const OLD = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'a-token-for-the-demo-0123456789-ABCdef' };
const NEW = { IA_ENSO_OLLAMA_BEARER_TOKEN: 'the-next-token-of-the-demo-987654-XYZ' };
const MODELS = '/ollama/v1/models';

const USAGE = `npm run demo -- [--keep]

  --keep     leaves the lab up at the end, with a shell inside
`;

/** The flags; with a slip in them, or where help is asked for, the end. */
function flagsOrUsage() {
  try {
    const options = { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ options });
    if (!values.help) return values;
    process.stdout.write(USAGE);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const flags = flagsOrUsage();
const start = performance.now();

say(
  'A lab: an operator, a jump host, a proxy with a stock nginx, a backend; real SSH, sudo, nginx, certbot and CA.',
);
const lab = await startLab({ certificate: 'none' });
await lab.startAcme();
const { type, ask, shell } = setStage(lab);

const answers = async ({ IA_ENSO_OLLAMA_BEARER_TOKEN: token }: typeof OLD) => {
  await ask('without a bearer', 401, MODELS);
  await ask('with a wrong one', 401, MODELS, ...bearer(`${token.slice(0, -1)}!`));
  await ask('with the right one in another case', 401, MODELS, ...bearer(token.toLowerCase()));
  await ask('with the right one', 200, MODELS, ...bearer(token));
};

try {
  say('A bare proxy gets its first certificate and the whole site, through the jump host.');
  await type('npx tsx scripts/bootstrap-tls.ts', { env: OLD });

  say('The gate, asked by curl.');
  await answers(OLD);

  say('A completion, streamed: each piece with its time.');
  await type('npx tsx test/lab/actors/stream.ts', { env: OLD });

  say('AnythingLLM, as a browser meets it.');
  await ask('/anythingllm/ leads to', 200, '/anythingllm/', '-L');
  await ask('the script that its page names', 200, '/index.js');

  say(
    'A setting changes: first what would happen, then the deploy, then the same deploy again, without a reload.',
  );
  const moved = { ...OLD, IA_ENSO_BACKEND_IP: '192.168.1.165' };
  await type('npx tsx scripts/deploy.ts --dry-run', { env: moved });
  await type('npx tsx scripts/deploy.ts --no-verify', { env: moved });
  await type('npx tsx scripts/deploy.ts --no-verify', { env: moved });

  say('That address was wrong: back to the release before.');
  await type('npx tsx scripts/rollback.ts', { env: OLD });

  say('Another client, of scope inference: chat and models, nothing else.');
  const added = await type('npx tsx scripts/bearers.ts add editor', { keep: true });
  const editor = added.match(/\b[0-9a-f]{64}\b/)?.[0] ?? '';
  await ask('the models, for the editor', 200, MODELS, ...bearer(editor));
  await ask('deleting a model, for the editor', 403, '/ollama/api/delete', '-X', 'DELETE', ...bearer(editor));

  say('The bearer is rotated: the new one opens, the old one does not.');
  await type('npx tsx scripts/rotate-bearer.ts', { env: NEW });
  await answers(NEW);
  await ask('with the old one', 401, MODELS, ...bearer(OLD.IA_ENSO_OLLAMA_BEARER_TOKEN));

  say('A template that nginx refuses: put back and proven; the gate goes on answering.');
  const copy = await copyProject(join(lab.directory, 'broken'));
  const template = join(copy, 'sites/ia.enso.4nkweb.com.conf');
  const text = await readFile(template, 'utf8');
  await writeFile(template, text.replace('server {', 'server {\n    proxy_bufering off;'));
  await type('npx tsx scripts/deploy.ts', { env: NEW, status: 1, cwd: copy });
  await answers(NEW);

  say('What is on the proxy now.');
  await type('npx tsx scripts/status.ts', { env: NEW });

  say(`Done in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  if (flags.keep) {
    console.log('The lab stays up as long as this shell: run the scripts, ask with curl; exit ends it.');
    await shell();
  }
} finally {
  await lab.stop();
}
