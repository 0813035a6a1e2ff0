/** Text for a POSIX shell. */

/** POSIX single quotes; the value may hold anything but NUL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
