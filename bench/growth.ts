/** What time and success do to the service: many conversations, and one very long one. */
import type { Bench } from './bench.ts';
import { measureQueue } from './growth-queue.ts';
import { measureTranscript } from './growth-transcript.ts';
import { measureViews } from './growth-views.ts';
import type { PartReport } from './report.ts';

export async function measureGrowth(bench: Bench): Promise<PartReport> {
  const queue = await measureQueue(bench);
  const views = await measureViews(bench);
  const transcript = await measureTranscript(bench);
  return {
    title: 'Growth',
    method: [
      'The queue: rows of finished work (per conversation two deliveries, messages and dispatches, a session, a record, an effect; a waiting dispatch in every hundredth) are made in the database itself, then a delivery about a random one of them goes the whole way, with the functions that router and worker call. "Look and find nothing" is what an idle worker does at least every two seconds; in the last row all that waits is due at once.',
      'The views: the list of conversations as `conversations` asks for it, a page that begins in its middle, and one conversation, on rows of conversations alone.',
      'The transcript: lines of a real run of the CLI, repeated under new ids in one chain, with a compaction shortly before the end, as every session of that length has had many.',
    ],
    goals: [],
    tables: [...queue, ...views, ...transcript],
  };
}
