/** What continuing cost, against what starting over would have. From the rehearsal model's accounts. */
import type { RecordedRequest } from '../../rehearsal/model-record.ts';

export interface Cost {
  /** input tokens of the last dispatch that were not in the prompt cache */
  lastNewTokens: number;
  lastCachedTokens: number;
  /** what the first dispatch, a cold start, paid before it knew what the last one knew */
  freshTokens: number;
  freshRequests: number;
}

/** The first dispatch is a measured cold start: system prompt, tool schemas and first file reads, paid in full. */
export function coldAgainstWarm(first: RecordedRequest[], last: RecordedRequest[]): Cost {
  return {
    lastNewTokens: sum(last, (u) => u.input_tokens + u.cache_creation_input_tokens),
    lastCachedTokens: sum(last, (u) => u.cache_read_input_tokens),
    freshTokens: sum(first, (u) => u.input_tokens + u.cache_creation_input_tokens),
    freshRequests: first.length,
  };
}

function sum(
  requests: RecordedRequest[],
  of: (usage: NonNullable<RecordedRequest['usage']>) => number,
): number {
  return requests.reduce((total, r) => total + (r.usage === null ? 0 : of(r.usage)), 0);
}
