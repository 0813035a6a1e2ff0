/** How long each wait of an SSH session may last, and how much may come back: milliseconds and bytes. */
export const LIMITS = {
  /** TCP, handshake and login of one hop. */
  hop: 15_000,
  /** A jump host opening the way to the next host. */
  open: 10_000,
  /** The agent's answer: its list, and a signature, for which it may ask somebody. */
  agent: 5_000,
  sign: 10_000,
  keepalive: 5_000,
  missed: 3,
  run: 180_000,
  /** From a command's exit to the end of its output: something it started may hold the output open. */
  drain: 5_000,
  output: 8 * 1024 * 1024,
} as const;

/** The promise's own outcome, or `late()` thrown when it takes longer. */
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
