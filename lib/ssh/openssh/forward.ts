/** A stream from a host to an address as seen from there, over a shared connection. */
import { Duplex, PassThrough } from 'node:stream';
import { $, type ProcessPromise } from '../../util/shell.ts';
import type { Hop } from '../hops.ts';
import { openError, openTimeout } from '../ssh-errors.ts';
import { LIMITS, within } from '../timeouts.ts';
import { sharedArguments, streamArguments } from './arguments.ts';
import { refusal, wasOpened } from './failures.ts';
import type { Master } from './master.ts';

/** @throws SshError that names the hop which forbids forwarding, cannot reach the address, or was lost */
export async function openStream(master: Master, next: Hop): Promise<Duplex> {
  const gone = master.lost();
  if (gone) throw gone;
  const args = [...sharedArguments(master.socket), ...streamArguments(next.host, next.port)];
  const running = $({ detached: true, nothrow: true })`LC_ALL=C; export LC_ALL; exec ssh ${args}`;
  // zx reads stdout from the start: without this, data that arrives before the first listener would be lost.
  const stdout = running.stdout.pipe(new PassThrough());
  const late = () => {
    running.child?.kill();
    return openTimeout(master.hop, next);
  };
  if (await within(opened(running), LIMITS.open, late)) return streamOf(running, stdout);
  throw master.lost() ?? openError(master.hop, next, refusal(master.log(), next.host, next.port));
}

/** False if ssh ended before the stream was open. */
function opened(running: ProcessPromise): Promise<boolean> {
  let log = '';
  return new Promise((resolve, reject) => {
    running.stderr.on('data', (data: Buffer) => {
      log += data.toString();
      if (wasOpened(log)) resolve(true);
    });
    running.then(() => resolve(false), reject);
  });
}

/**
 * Not `Duplex.from`: if the other side closes first, that fails with ERR_STREAM_PREMATURE_CLOSE and loses unread data.
 */
function streamOf({ child, stdin }: ProcessPromise, stdout: PassThrough): Duplex {
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      child?.kill();
      done(error);
    },
  });
  stdout.on('data', (data) => stream.push(data) || stdout.pause()).on('end', () => stream.push(null));
  return stream.on('error', () => {});
}
