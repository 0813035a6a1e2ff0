/** Quoting for a POSIX shell. */

/** Quotes a text with POSIX single quotes; it may contain anything except NUL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
