/** What the tests of clients share: scripts with their JSON read, requests with a bearer, load, a stream. */
import { readFileSync } from 'node:fs';
import { Agent, get, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab, RunOptions } from '../lab/lab.ts';
import { TRUST } from '../lab/lab-ca.ts';

export const NAME = 'ia.enso.4nkweb.com';
/** A line of the access log that names a client. */
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

export interface Ran {
  readonly status: number;
  /** stdout and stderr. */
  readonly all: string;
  readonly json: {
    readonly token?: string;
    readonly hosts: readonly HostJson[];
    readonly error?: { readonly message: string; readonly advice: string };
  };
  readonly stderr: string;
}

/** Runs a script that was asked for `--json`. */
export async function script(
  lab: Lab,
  name: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { status, stdout, stderr } = await lab.run(name, args, options);
  return { status, stderr, all: stdout + stderr, json: JSON.parse(stdout) as Ran['json'] };
}

/** What every request needs: the lab's CA is this process's only here. */
const base = () => ({ host: NAME, ca: readFileSync(TRUST) });
const headersOf = (token: string | undefined) => (token ? { authorization: `Bearer ${token}` } : {});

/** The status of one request with this bearer, on a fresh connection. */
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

/** Reads a streamed answer to its end; resolves with the number of its pieces. */
export function readStream(token: string, pieces: number, everyMs: number): Promise<number> {
  const path = `/ollama/api/generate?pieces=${pieces}&every=${everyMs}`;
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

// Leaves the scripts some of the processor.
const PAUSE_MS = 15;

/** Asks all the time, `width` side by side, each request on a connection of its own, until stopped. */
export function asksAlways(token: string, width: number) {
  const failed: string[] = [];
  let count = 0;
  let going = true;
  const agent = new Agent({ ...base(), keepAlive: false });
  const one = () =>
    new Promise<void>((resolve) => {
      const note = (what: string) => {
        failed.push(what);
        resolve();
      };
      get(
        {
          host: NAME,
          path: '/ollama/v1/models',
          agent,
          headers: { ...headersOf(token), connection: 'close' },
        },
        (response) => {
          count++;
          if (response.statusCode !== 200) failed.push(String(response.statusCode));
          response.on('error', (error) => note(error.message));
          response.resume().on('end', resolve);
        },
      ).on('error', (error) => note(error.message));
    });
  const lane = async () => {
    while (going) {
      await one();
      await sleep(PAUSE_MS);
    }
  };
  const lanes = Promise.all(Array.from({ length: width }, lane));
  return {
    stop: async () => {
      going = false;
      await lanes;
      return { failed, count };
    },
  };
}
