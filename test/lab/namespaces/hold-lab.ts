/** Keeps a small lab running until interrupted; prints `up` when it is ready. */
import './enter.ts';
import { startLab } from './lab.ts';

await startLab({ backends: false });
console.log('up');
setInterval(() => {}, 60_000);
