/**
 * Constants of the client files, for the program on the proxy, which writes and reads them (http-maps/ explains the
 * format).
 */

/** The length of the token prefix that is its key in the gate's hash table. */
export const KEY_SIZE = 24;

/** A longer line, for a token with many `$`, would exceed the size of a word in nginx. */
export const LINE_SIZE = 3500;

/** The start of a key in the previous format: a regex in quotes. */
export const OLD_KEY_START = '"~^(?i:bearer) +';

/** The comments with the times when a client was added, and when it got its current token. */
export const CREATED_MARK = '# created';
export const ROTATED_MARK = '# rotated';

/** The first line of a client's file, around its name. */
export const HEADER_START = '# Client "';
export const HEADER_END = '" of the bearer gate. This file holds a secret: keep it owned by root, mode 0600.';
