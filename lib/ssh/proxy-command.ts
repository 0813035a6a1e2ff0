/** ProxyCommand (ssh_config(5)): a local process whose stdin and stdout are the connection. */
import { Duplex } from 'node:stream';
import { HANDSHAKE } from '../diagnosis/ssh-failures.ts';
import { $, type ProcessPromise } from '../util/shell.ts';

/** Limit for passing on the last data. */
const LAST_WORDS_MS = 100;

/** Maximum stderr shown in an error. */
const STDERR_BYTES = 2048;

/**
 * Starts it in its own session, so that Ctrl-C does not cut the connection of a running program. It ends with the
 * stream, or with this process at the latest.
 */
export function startProxyCommand(command: string): ProxyStream {
  const store = { stdout: [], stderr: [], stdall: [] };
  // zx would otherwise store everything that was ever received.
  store.stdout.push = store.stdall.push = () => 0;
  const running = $({ detached: true, nothrow: true, store })`exec /bin/sh -c ${`exec ${command}`}`;
  return new ProxyStream(running);
}

/** `destroySoon` as in net.Socket. */
export class ProxyStream extends Duplex {
  readonly #running: ProcessPromise;
  #stderr = '';
  readonly #stop = () => this.#kill();

  constructor(running: ProcessPromise) {
    super();
    this.#running = running;
    const { stdout, stderr } = running;
    stdout.on('data', (data: Buffer) => void (this.push(data) || stdout.pause()));
    stdout.on('end', () => setTimeout(() => this.#ended('it closed its output'), LAST_WORDS_MS));
    stderr.on('data', (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-STDERR_BYTES);
    });
    process.on('exit', this.#stop);
    // The command may end before ssh2 listens; the login then reads `errored`.
    this.on('error', () => {});
    void running.then(({ exitCode, signal }) => this.#ended(signal ?? `exit status ${exitCode}`));
  }

  override _read(): void {
    this.#running.stdout.resume();
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#running.stdin.write(data, done);
  }

  override _final(done: () => void): void {
    this.#running.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#kill();
    done(error);
  }

  /** Ends the input, and the process soon after. */
  destroySoon(): void {
    this.end();
    setTimeout(() => this.destroy(), LAST_WORDS_MS);
  }

  #ended(how: string): void {
    process.off('exit', this.#stop);
    const words = this.#stderr.trim().split('\n').slice(-2).join(' ');
    this.destroy(new Error(`${HANDSHAKE.proxyCommand.error} (${how})${words && `: ${words}`}`));
  }

  /** Kills the process group: a pipeline is several processes. */
  #kill(): void {
    const { pid, exitCode } = this.#running.child ?? {};
    if (pid === undefined || exitCode !== null) return;
    try {
      process.kill(-pid, 'SIGHUP');
    } catch {
      // It has just ended.
    }
  }
}
