/** Detects guessable tokens: placeholders, common words, sequences and repetitions. */

/** For any length: only one in two million random tokens of 16 digits has fewer distinct characters. */
const FEWEST_CHARACTERS = 4;
/** The minimum number of unpredictable parts; random tokens of 16 characters have more than ten. */
const FEWEST_SURPRISES = 6;
/** Shorter ones occur by chance. */
const SHORTEST_TRACK = 3;
const SHORTEST_REPETITION = 3;

/** Placeholders in examples, anywhere in the token. */
const PLACEHOLDER =
  /change-?me|change-?this|replace-?me|replace-?with|placeholder|your-?(?:own-?)?(?:bearer|token|secret|api-?key)/;

const WORDS =
  'administrator anythingllm authorization anthropic localhost passphrase password superuser ' +
  'welcome letmein iloveyou dragon monkey football master ollama bearer openai claude cursor continue chatgpt mistral ' +
  'llama deepseek server service gateway gatepost nginx nexus proxy router secret token access private public ' +
  'default sample example testing test demo temp dummy admin root user login guest hello world foobar foo bar baz ' +
  'production staging prod local apikey api key auth pass pwd abc xyz the for our my llm gpt ai sk ' +
  'project proj live virtual www http https com org net chat qwerty azerty hunter shadow sunshine princess superman ' +
  'batman starwars whatever freedom trustno ninja summer winter spring autumn soleil bonjour motdepasse passwort geheim ' +
  'hallo contrasena';

/** A word or a short key, repeated until it is long enough. */
const REPEATED = /^([a-z0-9]{1,11})\1+[^a-z0-9]?$/;

const LEET: Readonly<Record<string, string>> = {
  a: 'a4@',
  b: 'b8',
  e: 'e3',
  g: 'g9',
  i: 'i1!',
  l: 'l1',
  o: 'o0',
  s: 's5$',
  t: 't7',
};

const WORD = new RegExp(
  `${WORDS.split(' ')
    .sort((a, b) => b.length - a.length)
    .map((word) => [...word].map((letter) => `[${LEET[letter] ?? letter}]`).join(''))
    .join('|')}|(?:19|20)\\d\\d`,
  'y',
);

const ASCENDING = ['0123456789'.repeat(3), 'abcdefghijklmnopqrstuvwxyz'.repeat(2)];
/** Rows, columns and zigzags of American and French keyboards. */
const KEYBOARD = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
];
const TRACKS = [...ASCENDING, ...KEYBOARD].flatMap((track) => [track, [...track].reverse().join('')]);

/**
 * Whether `token` is a placeholder, has few distinct characters, or consists mostly of common words, years, sequences
 * and repetitions. Ignores letter case, digits in place of letters, and separators.
 */
export function isGuessable(token: string): boolean {
  const text = token.toLowerCase();
  if (PLACEHOLDER.test(text.replace(/[_.]/g, '-')) || new Set(text).size < FEWEST_CHARACTERS) return true;
  if (REPEATED.test(text)) return true;
  // a1b2c3d4 is two sequences.
  const half = (rest: number) => [...text].filter((_, at) => at % 2 === rest).join('');
  return Math.min(surprises(text), surprises(half(0)) + surprises(half(1))) < FEWEST_SURPRISES;
}

/** The number of parts of `text`, each a character or a known pattern. Separators do not count. */
function surprises(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; ) {
    if (!'-_.'.includes(text.charAt(at))) count += 1;
    at += Math.max(runAt(text, at), wordAt(text, at), trackAt(text, at), repetitionAt(text, at));
  }
  return count;
}

function runAt(text: string, at: number): number {
  let length = 1;
  while (text[at + length] === text[at]) length += 1;
  return length;
}

function wordAt(text: string, at: number): number {
  WORD.lastIndex = at;
  return WORD.exec(text)?.[0].length ?? 0;
}

function trackAt(text: string, at: number): number {
  const onTrack = (length: number) => TRACKS.some((track) => track.includes(text.slice(at, at + length)));
  return longest(text, at, SHORTEST_TRACK, onTrack);
}

function repetitionAt(text: string, at: number): number {
  const wasBefore = (length: number) => text.indexOf(text.slice(at, at + length)) < at;
  return longest(text, at, SHORTEST_REPETITION, wasBefore);
}

/** The length of the longest part at `at` for which `is` returns true, at least `shortest`; 0 if there is none. */
function longest(text: string, at: number, shortest: number, is: (length: number) => boolean): number {
  let length = shortest;
  while (at + length <= text.length && is(length)) length += 1;
  return length === shortest ? 0 : length - 1;
}
