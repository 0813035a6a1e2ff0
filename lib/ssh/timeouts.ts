/** Limits of an SSH session, in milliseconds and bytes. */
export const LIMITS = {
  /** TCP, handshake and login of one hop. */
  hop: 15_000,
  /** Forwarding from a jump host to the next hop. */
  open: 10_000,
  /** The agent's replies: the key list, and a signature, which the user may have to confirm. */
  agent: 5_000,
  sign: 10_000,
  keepalive: 5_000,
  missed: 3,
  run: 180_000,
  /** From a command's exit to the end of its output: a background process may keep the output open. */
  drain: 5_000,
  output: 4 * 1024 * 1024,
} as const;

/** The promise's result; throws `late()` after the time limit. */
export async function within<T>(promise: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
