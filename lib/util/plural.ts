/** Counts that agree with their nouns. */

/** `1 script`, `2 scripts` */
export const plural = (count: number, noun: string): string => `${count} ${count === 1 ? noun : `${noun}s`}`;
