/** Limits of an SSH session, in milliseconds and bytes. */
export const LIMITS = {
  /** TCP, handshake and login of one hop. */
  hop: 15_000,
  /** Forwarding from a jump host to the next host. */
  open: 10_000,
  /** Replies of the agent: the key list, and a signature, which the user may have to confirm. */
  agent: 5_000,
  sign: 10_000,
  keepalive: 5_000,
  missed: 3,
  run: 180_000,
  /** From the exit of a command to the end of its output: a background process may keep the output open. */
  drain: 5_000,
  output: 4 * 1024 * 1024,
} as const;

/** The outcome of the promise; throws `late()` if it takes longer. */
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
