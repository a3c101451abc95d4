/** What a conversation used, from the totals the CLI reported. Pure. */
import { storedJson } from './stored.ts';

export interface UsageTotals {
  /** the CLI's own estimate at list prices */
  costUsd: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  turns: number;
}

export interface ReportedUsage {
  session_id: string | null;
  turns: number | null;
  /** JSON `{costUsd, models: {[model]: {inputTokens, …}}}` */
  usage: string | null;
}

type Totals = Omit<UsageTotals, 'turns'>;

/**
 * The CLI keeps its totals in the transcript: a resumed run reports those of the whole session so far, not its own
 * (measured on 2.1.330). So each session counts once, with its largest report; turns are counted anew by every run.
 */
export function totalUsage(dispatches: ReportedUsage[]): UsageTotals {
  const bySession = new Map<string, Totals>();
  for (const dispatch of dispatches) {
    const reported = readUsage(dispatch.usage);
    if (reported === null || dispatch.session_id === null) continue;
    const known = bySession.get(dispatch.session_id);
    if (known === undefined || reported.costUsd >= known.costUsd)
      bySession.set(dispatch.session_id, reported);
  }
  const sum = add([...bySession.values()]);
  return { ...sum, turns: dispatches.reduce((turns, d) => turns + (d.turns ?? 0), 0) };
}

function readUsage(text: string | null): Totals | null {
  const usage = storedJson(text);
  if (typeof usage !== 'object' || usage === null) return null;
  const { costUsd, models } = usage as { costUsd?: unknown; models?: unknown };
  const perModel = typeof models === 'object' && models !== null ? Object.values(models) : [];
  const tokens = add(
    perModel.map((model: Record<string, unknown>) => ({
      costUsd: 0,
      inputTokens: numberOf(model.inputTokens),
      outputTokens: numberOf(model.outputTokens),
      cacheReadTokens: numberOf(model.cacheReadInputTokens),
      cacheWriteTokens: numberOf(model.cacheCreationInputTokens),
    })),
  );
  return { ...tokens, costUsd: numberOf(costUsd) };
}

function add(parts: Totals[]): Totals {
  const sum: Totals = {
    costUsd: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
  for (const part of parts) {
    for (const key of Object.keys(sum) as (keyof Totals)[]) sum[key] += part[key];
  }
  return sum;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
