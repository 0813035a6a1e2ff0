/** Looks words up in tables. */

/** The entry of `table` for a word of somebody else's; what every object inherits (`constructor`) is none. */
export function lookUp<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
