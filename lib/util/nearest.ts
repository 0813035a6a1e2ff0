/** Typos: which known word was meant. The only user of fastest-levenshtein. */
import { createRequire } from 'node:module';

/** The maximum edit distance of a typo; in short words, fewer letters may be wrong. */
const TYPO_DISTANCE = 3;
const LETTERS_PER_TYPO = 3;

/**
 * The known word most similar to `word`, if there is a similar one: a few letters differ or are transposed, or whole
 * parts (between `_` or `-`) are missing.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Loaded on first use: it takes longer than the rest of a command line.
  const { distance } = createRequire(import.meta.url)(
    'fastest-levenshtein',
  ) as typeof import('fastest-levenshtein');
  const most = Math.min(TYPO_DISTANCE, Math.max(1, Math.floor(word.length / LETTERS_PER_TYPO)));
  return known
    .map((other) => ({ other, far: distance(word, other) }))
    .filter(
      ({ other, far }) => far <= most || lettersOf(word) === lettersOf(other) || isAbridged(word, other),
    )
    .sort((a, b) => a.far - b.far)
    .at(0)?.other;
}

const lettersOf = (word: string): string => [...word].sort().join('');

/** Whether the parts of `word` are some of those of `other`, in the same order. */
function isAbridged(word: string, other: string): boolean {
  const left = word.split(/[_-]/);
  for (const part of other.split(/[_-]/)) if (part === left[0]) left.shift();
  return left.length === 0;
}
