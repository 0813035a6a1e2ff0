/** Helpers for tests of clients: scripts with parsed JSON, requests with a token, load, a stream. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { TRUST } from '../../lab/certificates/lab-ca.ts';
import type { Lab, RunOptions } from '../../lab/namespaces/lab.ts';

export const NAME = 'ia.enso.4nkweb.com';
/** A line of the access log with a client's name. */
export const NAMED = /^[\d.]+ [a-z0-9_-]+ \[/;

interface HostJson {
  readonly outcome: string;
  readonly release?: string;
  readonly failure?: { readonly code: string; readonly text: string; readonly next: string };
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
  readonly files: readonly { readonly path: string; readonly changed: boolean }[];
  readonly drift: readonly { readonly path: string; readonly how: string }[];
  readonly clients?: readonly Readonly<Record<string, unknown>>[];
  readonly [more: string]: unknown;
}

export interface ScriptResult {
  readonly status: number;
  /** stdout and stderr. */
  readonly all: string;
  readonly json: {
    /** The path of the page from `--html`. */
    readonly html?: string;
    readonly token?: string;
    /** The setup instructions for the client. */
    readonly use?: string;
    readonly hosts: readonly HostJson[];
    readonly error?: { readonly message: string; readonly advice: string };
  };
  readonly stderr: string;
}

/** Runs a script with `--json`. */
export async function script(
  lab: Lab,
  name: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ScriptResult> {
  const { status, stdout, stderr } = await lab.run(name, args, options);
  return { status, stderr, all: stdout + stderr, json: JSON.parse(stdout) as ScriptResult['json'] };
}

/** The options of every request: only this process trusts the lab's CA. */
const base = () => ({ host: NAME, ca: readFileSync(TRUST) });
const headersOf = (token: string | undefined) => (token ? { authorization: `Bearer ${token}` } : {});

/** The status of one request with this token, on a new connection. */
export function statusOf(
  token: string | undefined,
  path: string = '/ollama/v1/models',
  method = 'GET',
): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ ...base(), path, method, agent: false, headers: headersOf(token) }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end();
  });
}

/** Reads a streamed response to its end; resolves with the number of its chunks. */
export function readStream(token: string, chunks: number, everyMs: number): Promise<number> {
  const path = `/ollama/api/generate?pieces=${chunks}&every=${everyMs}`;
  return new Promise((resolve, reject) => {
    let text = '';
    const headers = { ...headersOf(token), 'content-type': 'application/json' };
    request({ ...base(), path, method: 'POST', agent: false, headers }, (response) => {
      response.on('data', (part) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve(text.split('\n').filter((line) => line.includes('"done":false')).length),
      );
    })
      .on('error', reject)
      .end('{"model":"tiny"}');
  });
}

/**
 * Runs wrk with a new connection per request until stopped: at least a hundred requests per second, which leaves most
 * of the CPU to the scripts.
 */
export function startWrk(token: string) {
  const pace = fileURLToPath(new URL('pace.lua', import.meta.url));
  const headers = ['-H', 'Connection: close', '-H', `Authorization: Bearer ${token}`];
  const options = ['-t1', '-c12', '-d300', '-s', pace, ...headers];
  const url = `https://${NAME}/ollama/v1/models`;
  const wrk = spawn('nice', ['wrk', ...options, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const wrkOutput = text(wrk.stdout);
  return {
    /** The number of requests, and wrk's report of those that failed. */
    stop: async () => {
      wrk.kill('SIGINT');
      const failures = await wrkOutput;
      const [, count = '0'] = /(\d+) requests in /.exec(failures) ?? [];
      return { count: Number(count), failed: failures.match(/(?:Socket errors|Non-2xx).*/g) ?? [] };
    },
  };
}
