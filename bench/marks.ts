/**
 * Loaded into a script before it (`--import`), notes when things happen there, in milliseconds since the epoch, and writes
 * them to the file MARKS at the end. It listens only: the script is as it is, and nothing of it knows.
 */
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';

const now = () => performance.timeOrigin + performance.now();
const marks: [name: string, time: number][] = [
  ['node', performance.timeOrigin + performance.nodeTiming.bootstrapComplete],
  ['tsx', now()],
];
const mark = (name: string) => void marks.push([name, now()]);

// lib/cli/main.ts listens for Ctrl-C first of all: then everything is imported.
process.on('newListener', (event) => void (event === 'SIGINT' && mark('imports')));

// The events of ssh2's clients: the jump host's come first.
const { emit } = EventEmitter.prototype;
EventEmitter.prototype.emit = function (this: EventEmitter, name: string | symbol, ...args: unknown[]) {
  if (this.constructor.name === 'Client' && (name === 'handshake' || name === 'ready')) mark(name);
  return emit.call(this, name, ...args);
} as typeof emit;

// A line on stderr is the end of a phase.
const { write } = process.stderr;
process.stderr.write = ((text: string, ...rest: []) => {
  mark(text.trim());
  return write.call(process.stderr, text, ...rest);
}) as typeof write;

process.on('exit', () => {
  mark('exit');
  if (process.env.MARKS) writeFileSync(process.env.MARKS, JSON.stringify(marks));
});
