/** A login by ssh and by gatepost with the same configuration, agent and home directory. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolveHops } from '../../../lib/ssh/hops.ts';
import { type HostSettings, readHostConfig } from '../../../lib/ssh/ssh-config.ts';
import { connect } from './connect.ts';

export interface Verdicts {
  readonly ssh: string;
  readonly gatepost: string;
  /** gatepost's error. */
  readonly error?: string;
}

/** Returns `in` if a command runs on the host, `out` if the login fails. */
export async function judge(
  config: string,
  host: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Verdicts> {
  const ownVerdict = await withGatepost(config, host, env); // first: ssh may add to known_hosts
  return { ssh: await withSsh(config, host, env), ...ownVerdict };
}

function withSsh(config: string, host: string, env: NodeJS.ProcessEnv): Promise<string> {
  const args = ['-F', config, '-o', 'BatchMode=yes', host, 'echo in'];
  return new Promise((resolve) => {
    execFile('ssh', args, { env, timeout: 30_000 }, (error, stdout) =>
      resolve(error ? 'out' : stdout.trim()),
    );
  });
}

async function withGatepost(
  config: string,
  host: string,
  env: NodeJS.ProcessEnv,
): Promise<Omit<Verdicts, 'ssh'>> {
  const before = process.env;
  process.env = { ...env }; // ssh -G checks variables
  try {
    const connection = await connect(await hopsFrom(config, host, env));
    const { stdout } = await connection.run('echo in', '');
    connection.close();
    return { gatepost: stdout.trim() };
  } catch (error) {
    assert.match(String(error), /^(SshError: (proxy|jump host) \S+: |UsageError: )/);
    return { gatepost: 'out', error: String(error) };
  } finally {
    process.env = before;
  }
}

/** The hops to a host, from a configuration only. */
export function hopsFrom(config: string, host: string, env: NodeJS.ProcessEnv = process.env) {
  const defaults = { user: 'nobody', port: 22, variable: (name: string) => env[name] };
  const ask = (settings: HostSettings) => readHostConfig(settings, [config]);
  return resolveHops({ host }, undefined, false, defaults, undefined, ask);
}
