/**
 * Random known_hosts files: ssh and lib/ssh/known-hosts.ts must agree on each. FC_RUNS sets their number, FC_SEED
 * repeats a run.
 */
import '../../lab/namespaces/enter.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { judgeHostKey, type KnownHostsFile } from '../../../lib/ssh/known-hosts.ts';
import { inParallel } from '../../../lib/util/parallel.ts';
import { H, hashed, openssh, P } from './openssh-judge.ts';
import { keygen, privateFile, publicKey, startSshd } from './sshd.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 1e9);
const numRuns = Number(process.env.FC_RUNS ?? 60);
const directory = mkdtempSync(join(tmpdir(), 'gatepost-random-'));
keygen(`${directory}/other`);
keygen(`${directory}/rsa`, '-t', 'rsa');
const [other = '', rsa = ''] = ['other', 'rsa'].map((name) => publicKey(`${directory}/${name}`));
let hostKey = '';
let written = 0;

const ports = ['22', '2222', '2223', '*', ''];
const names = [
  H,
  'JUDGE.Test',
  'other.test',
  '127.0.1.1',
  '*',
  '*.test',
  'judg?.test',
  'j*t',
  '?',
  'judge.test.',
  'judge',
  '*judge*',
  '**',
  'judge.tes[t]',
];
const bare = fc.constantFrom(...names);
const bracketed = fc.tuple(bare, fc.constantFrom(...ports)).map(([name, port]) => `[${name}]:${port}`);
const hash = fc.constantFrom(H, P, 'other.test', 'JUDGE.TEST', `[${H}]:22`).map((name) => hashed(name));
const damagedHash = hash.map((text) => text.replace(/.$/, '')).filter((text) => text !== '');
const pattern = fc
  .tuple(fc.constantFrom('', '', '', '!'), fc.oneof(bare, bracketed))
  .map((parts) => parts.join(''));
const hosts = fc.oneof(
  { weight: 6, arbitrary: fc.array(pattern, { minLength: 1, maxLength: 4 }).map((list) => list.join(',')) },
  { weight: 2, arbitrary: hash },
  {
    weight: 1,
    arbitrary: fc.oneof(
      damagedHash,
      hash.map((text) => `${text},${H}`),
      fc.constantFrom('', ',', '!', '|1|', '|1|a|b', '|2|AAAA|BBBB', `${H}\r`, `\v${H}`, H.repeat(40)),
    ),
  },
);
const blank = fc.constantFrom(' ', ' ', ' ', '\t', '  ', ' \t ');
const marker = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom('@revoked', '@cert-authority'), blank).map((parts) => parts.join('')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '@REVOKED ',
      '@unknown ',
      '@revoked',
      '@ ',
      '@revoked @revoked ',
      '# ',
      '#',
      '1024 35 ',
    ),
  },
);
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('K', 'K', 'K', 'O', 'R') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'ssh-ed25519 KB',
      'ssh-rsa KB',
      'ecdsa-sha2-nistp256 KB',
      'ED25519 KB',
      'ssh-ed25519',
      'ssh-ed25519 AAAA',
      'KB',
      'ssh-ed25519 KB=',
      'ssh-ed25519 KBKB',
      'ssh-ed25519 !KB',
      'ssh-ed25519 \rKB\v',
      'ssh-ed25519\r KB',
      'ssh-ed25519 K B',
      '',
    ),
  },
);
const rest = fc.constantFrom('', '', '', ' comment', ' # c', '\tK', ' ', '\r', ' x\r');
const lead = fc.constantFrom('', '', '', '', ' ', '\t', ' \t');
const line = fc.tuple(lead, marker, hosts, blank, key, rest).map((parts) => parts.join(''));
const junk = fc.oneof(
  fc.constantFrom('', '#', '# a comment', '\r', '   ', '\0', '@', '*'),
  fc.string({ maxLength: 30 }).map((text) => text.replace(/\n/g, '')),
);
const someLines = fc.array(fc.oneof({ weight: 6, arbitrary: line }, { weight: 1, arbitrary: junk }), {
  maxLength: 6,
});
const file = fc.tuple(someLines, fc.constantFrom('\n', '\n', '\n', '\r\n'), fc.boolean());
const sample = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 3 }),
  port: fc.constantFrom(22, 22, 2222),
});

/** A file's text: `K` is the host's own key, `O` and `R` are others', `KB` is the host's in base64 only. */
function textOf([lines, end, isEnded]: [string[], string, boolean]): string {
  const blob = hostKey.split(' ')[1] ?? '';
  const keys: Record<string, string> = { K: hostKey, O: other, R: rsa };
  const filled = lines.map((text) =>
    text.replace(/(?<=[\s!]|^)[KOR](?=\s|$)/g, (name) => keys[name] ?? name).replaceAll('KB', blob),
  );
  return filled.join(end) + (isEnded ? end : '');
}

before(async () => {
  privateFile(`${directory}/hosts`, `127.0.1.1 ${H}\n`, 0o644);
  execFileSync('mount', ['--bind', `${directory}/hosts`, '/etc/hosts']);
  const config = 'Port 2222\nListenAddress 127.0.1.1:2222';
  const server = await startSshd(`${directory}/sshd`, '127.0.1.1', '', { config });
  hostKey = server.hostKeys.ed25519 ?? '';
});
after(() => rmSync(directory, { recursive: true }));

/** Both verdicts on these files, if they differ. */
async function difference(texts: readonly string[], port: number, count: Record<string, number> = {}) {
  written += 1;
  const paths = texts.map((text, i) => privateFile(`${directory}/${written}.${i}`, text));
  const known = texts.map((text, i): KnownHostsFile => ({ path: paths[i] ?? '', text }));
  const blob = Buffer.from(hostKey.split(' ')[1] ?? '', 'base64');
  const [gatepost, ssh] = [judgeHostKey(known, H, port, blob).kind, await openssh(paths.join(' '), port)];
  count[ssh] = (count[ssh] ?? 0) + 1;
  return gatepost === ssh ? undefined : { gatepost, ssh, port, texts };
}

/** Reduces the files to as few lines as still make the verdicts differ. */
async function smallest(found: NonNullable<Awaited<ReturnType<typeof difference>>>): Promise<typeof found> {
  for (const [i, text] of found.texts.entries())
    for (const line of text.split(/(?<=\n)/)) {
      const texts = found.texts.with(
        i,
        text.replace(line, () => ''),
      );
      const less = await difference(texts, found.port);
      if (less) return texts[i] === text ? found : smallest(less);
    }
  return found;
}

test(`agrees with OpenSSH on ${numRuns} random files (seed ${seed})`, async (t) => {
  const count: Record<string, number> = {};
  const differences: unknown[] = [];
  await inParallel(fc.sample(sample, { numRuns, seed }), 4, async ({ files, port }) => {
    const found = await difference(files.map(textOf), port, count);
    if (found && differences.length < 3) differences.push(await smallest(found));
  });
  assert.deepEqual(differences, []);
  t.diagnostic(JSON.stringify(count));
  for (const kind of ['match', 'unknown', 'changed', 'revoked'])
    assert.ok((count[kind] ?? 0) > numRuns / 60, JSON.stringify(count));
});
