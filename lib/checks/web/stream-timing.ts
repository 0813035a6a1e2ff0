/** Distinguishes a streamed response from a buffered one by the arrival times of its chunks. */
import { advised } from '../../diagnosis/row.ts';
import { SYMPTOMS } from '../../diagnosis/symptoms.ts';
import { type Finding, failed, passed, type StreamTiming, skipped } from '../../model/check.ts';
import { plural } from '../../util/plural.ts';

/** One read from the connection. */
export interface Arrival {
  /** In milliseconds, on any clock. */
  readonly at: number;
  /** The number of server-sent events in it. */
  readonly events: number;
}

/** Reads closer together than this are one chunk: a buffered response takes several reads. */
const SAME_CHUNK_MS = 2;
/** An endless stream must not fill the report. */
const MAX_CHUNKS = 300;

/**
 * A response is streamed if it arrives in at least three chunks, spread over time, none with more than half of all
 * events. Counting chunks alone is not enough, because nginx forwards each full buffer of 4 or 8 kB. `sentAt` uses the
 * clock of the arrivals.
 */
export function judgeStreamTiming(sentAt: number, arrivals: readonly Arrival[], model: string): Finding {
  const measured = timingOf(sentAt, arrivals);
  return { ...judge(sentAt, arrivals, model), ...(measured && { measured }) };
}

function judge(sentAt: number, arrivals: readonly Arrival[], model: string): Finding {
  const chunks = chunksOf(arrivals);
  const events = sum(arrivals);
  if (events < 4)
    return skipped(
      `${model} sent ${plural(events, 'event')}, too few to detect streaming: try another model.`,
    );
  const largest = Math.max(...chunks.map(sum));
  const spread = Math.round((arrivals.at(-1)?.at ?? 0) - (arrivals[0]?.at ?? 0));
  if (chunks.length >= 3 && largest <= events / 2)
    return passed(`${model} streamed ${chunks.length} chunks over ${spread} ms.`);
  if ((arrivals.at(-1)?.at ?? 0) - sentAt < events * SAME_CHUNK_MS)
    return skipped(`${model} sent ${events} events too fast to measure: try a larger model.`);
  return failed(
    `${model} sent ${events} events in ${plural(chunks.length, 'chunk')} over ${spread} ms. ${advised(SYMPTOMS.buffered)}`,
  );
}

function timingOf(sentAt: number, arrivals: readonly Arrival[]): StreamTiming | undefined {
  const last = arrivals.at(-1);
  if (last === undefined) return undefined;
  const pieces = chunksOf(arrivals)
    .slice(0, MAX_CHUNKS)
    .map((chunk) => ({ at: Math.round((chunk[0]?.at ?? sentAt) - sentAt), events: sum(chunk) }));
  return { kind: 'stream', pieces, total: Math.round(last.at - sentAt) };
}

function chunksOf(arrivals: readonly Arrival[]): Arrival[][] {
  const chunks: Arrival[][] = [];
  for (const [index, arrival] of arrivals.entries()) {
    const before = arrivals[index - 1];
    if (before !== undefined && arrival.at - before.at < SAME_CHUNK_MS) chunks.at(-1)?.push(arrival);
    else chunks.push([arrival]);
  }
  return chunks;
}

function sum(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((total, { events }) => total + events, 0);
}
