/** Tells a stream from a lump by when its pieces arrived. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Finding, failed, passed, type StreamTiming, skipped } from '../../model/check.ts';

/** What one read of the connection brought. */
export interface Arrival {
  /** Milliseconds, on any clock. */
  readonly at: number;
  /** Server-sent events in it. */
  readonly events: number;
}

/** Reads closer than this came together: a lump is read in several goes. */
const TOGETHER_MS = 2;
/** A server that streams without end must not fill a report. */
const MOST_PIECES = 300;

/**
 * `sentAt` is on the arrivals' clock. Streamed means: at least three pieces apart in time, none with more than half of all events.
 * Counting pieces alone is not enough, as nginx passes on each full buffer of 4 or 8 kB.
 */
export function judgeStreamTiming(sentAt: number, arrivals: readonly Arrival[], model: string): Finding {
  const measured = timingOf(sentAt, arrivals);
  return { ...judge(sentAt, arrivals, model), ...(measured && { measured }) };
}

function judge(sentAt: number, arrivals: readonly Arrival[], model: string): Finding {
  const pieces = together(arrivals);
  const events = sum(arrivals);
  if (events < 4)
    return skipped(`${model} answered in ${events} pieces, too few to tell: try it with another model.`);
  const largest = Math.max(...pieces.map(sum));
  const spread = Math.round((arrivals.at(-1)?.at ?? 0) - (arrivals[0]?.at ?? 0));
  if (pieces.length >= 3 && largest <= events / 2)
    return passed(`${model} answered in ${pieces.length} pieces over ${spread} ms.`);
  if ((arrivals.at(-1)?.at ?? 0) - sentAt < events * TOGETHER_MS)
    return skipped(
      `${model} made ${events} pieces faster than they can be told apart: try it with a larger model.`,
    );
  return failed(
    `${model} answered ${events} events in ${pieces.length === 1 ? 'one lump' : `${pieces.length} lumps`} over ${spread} ms. ${advised(SYMPTOMS.buffered)}`,
  );
}

function timingOf(sentAt: number, arrivals: readonly Arrival[]): StreamTiming | undefined {
  const last = arrivals.at(-1);
  if (last === undefined) return undefined;
  const pieces = together(arrivals)
    .slice(0, MOST_PIECES)
    .map((piece) => ({ at: Math.round((piece[0]?.at ?? sentAt) - sentAt), events: sum(piece) }));
  return { kind: 'stream', pieces, total: Math.round(last.at - sentAt) };
}

function together(arrivals: readonly Arrival[]): Arrival[][] {
  const pieces: Arrival[][] = [];
  for (const [index, arrival] of arrivals.entries()) {
    const before = arrivals[index - 1];
    if (before !== undefined && arrival.at - before.at < TOGETHER_MS) pieces.at(-1)?.push(arrival);
    else pieces.push([arrival]);
  }
  return pieces;
}

function sum(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((total, { events }) => total + events, 0);
}
