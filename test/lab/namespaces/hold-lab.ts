/** Holds a small lab up until it is interrupted; says `up` when it is there. */
import './enter.ts';
import { startLab } from './lab.ts';

await startLab({ backends: false });
console.log('up');
setInterval(() => {}, 60_000);
