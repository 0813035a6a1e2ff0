/** Constants of the clients' files, for the program on the proxy, which writes and reads them (http-maps/ explains the format). */

/** The characters of a token that are its key in the hash table of the gate. */
export const KEY_SIZE = 24;

/** A longer line, of a token with many `$`, would not fit into a word of nginx. */
export const LINE_SIZE = 3500;

/** How a key of the previous format began: a regex in quotes. */
export const OLD_KEY_START = '"~^(?i:bearer) +';

/** The comments that say when a client was added, and when it got its present token. */
export const CREATED_MARK = '# created';
export const ROTATED_MARK = '# rotated';

/** The first line of a client's file, around its name. */
export const HEADER_START = '# Client "';
export const HEADER_END = '" of the bearer gate. This file holds a secret: keep it owned by root, mode 0600.';
