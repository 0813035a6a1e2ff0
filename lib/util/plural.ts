/** Counts that agree with their nouns. */

/** `1 script`, `2 scripts`; `many` is the plural form if it is not the noun with an s. */
export const plural = (count: number, noun: string, many = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : many}`;
