/**
 * Preloaded into a script (`--import`): records when its phases end, in milliseconds since the epoch, and writes that
 * to the file MARKS at exit. It only listens; the script is unmodified.
 */
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';

const now = () => performance.timeOrigin + performance.now();
const marks: [name: string, time: number][] = [
  ['node', performance.timeOrigin + performance.nodeTiming.bootstrapComplete],
  ['tsx', now()],
];
const mark = (name: string) => void marks.push([name, now()]);

// lib/cli/main.ts first listens for Ctrl-C; at that point, everything is imported.
process.on('newListener', (event) => void (event === 'SIGINT' && mark('imports')));

// Events of ssh2's clients: the jump host's come first.
const { emit } = EventEmitter.prototype;
EventEmitter.prototype.emit = function (this: EventEmitter, name: string | symbol, ...args: unknown[]) {
  if (this.constructor.name === 'Client' && (name === 'handshake' || name === 'ready')) mark(name);
  return emit.call(this, name, ...args);
} as typeof emit;

// A line on stderr ends a phase.
const { write } = process.stderr;
process.stderr.write = ((text: string, ...rest: []) => {
  mark(text.trim());
  return write.call(process.stderr, text, ...rest);
}) as typeof write;

process.on('exit', () => {
  mark('exit');
  if (process.env.MARKS) writeFileSync(process.env.MARKS, JSON.stringify(marks));
});
