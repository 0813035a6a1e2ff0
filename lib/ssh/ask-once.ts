/** One answer of the SSH configuration for many hosts, where it does not tell them apart: each `ssh -G` is a process. */
import { readFile } from 'node:fs/promises';
import type { AskConfig } from './hops.ts';
import type { HostConfig } from './ssh-config.ts';

/** A block that is not for all hosts, and what makes another name of a host's name. */
const TELLS_APART =
  /^\s*(?:host[\s=]+(?!"?\*"?\s*$)|match[\s=]+(?!all\s*$)|canonical|(?:hostname|proxyjump)[\s=].*%)/im;

interface Answer {
  readonly host: string;
  readonly config: Promise<HostConfig | undefined>;
  readonly isForAll: Promise<boolean>;
}

/** Asks for the first host; for others with the same user and port only where the answer might differ. */
export function askingOnce(ask: AskConfig): AskConfig {
  const answers = new Map<string, Answer>();
  return async (settings) => {
    const { host, ...others } = settings;
    const name = JSON.stringify(others);
    const first = answers.get(name) ?? answered(host, ask(settings));
    answers.set(name, first);
    if (first.host === host) return first.config;
    return (await first.isForAll) ? named(host, first) : ask(settings);
  };
}

const answered = (host: string, config: Promise<HostConfig | undefined>): Answer => ({
  host,
  config,
  isForAll: config.then(
    (known) => (known ? isForAll(known.files) : true),
    () => true,
  ),
});

async function isForAll(files: readonly string[] | undefined): Promise<boolean> {
  if (!files) return false;
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => 'Host ?')));
  return !texts.some((text) => TELLS_APART.test(text));
}

/** ssh gives a host without a HostName its own name, in lower case. */
async function named(host: string, first: Answer): Promise<HostConfig | undefined> {
  const config = await first.config;
  const isOwn = config?.host === first.host.toLowerCase();
  return config && { ...config, host: isOwn ? host.toLowerCase() : config.host };
}
