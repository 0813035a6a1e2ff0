/** Keeps a small lab up until it is interrupted; prints `up` when it is ready. */
import './enter.ts';
import { startLab } from './lab.ts';

await startLab({ backends: false });
console.log('up');
setInterval(() => {}, 60_000);
