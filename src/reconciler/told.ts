/** What the log and the metrics are told of a look: one plain line where there is something to say. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeUnavailable } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { LookKind, LookOutcome } from './looking.ts';

export interface LookTold {
  forge: string;
  outcome: 'nothing' | 'found' | 'begun' | 'postponed' | 'failed' | 'not-offered';
  /** names */
  events: string[];
  /** unix ms of a pause */
  until: number | null;
}

interface Ended {
  forge: ForgeConfig;
  kind: LookKind;
  outcome: LookOutcome | Error;
  dueAt: number;
  /** in a row, this one included */
  failures: number;
}

export function tellLook(log: Log, { forge, kind, outcome, dueAt, failures }: Ended): LookTold {
  const { name } = forge;
  const again = new Date(dueAt).toISOString();
  if (outcome instanceof ForgeUnavailable) {
    // Each failure is in the metrics; the log says it once, and again when it lasts.
    const level = failures === 1 || failures % 10 === 0 ? 'warn' : 'debug';
    log[level](`${name} could not be looked at, nothing is lost by it: it is tried again at ${again}`, {
      forge: name,
      failures,
      reason: outcome.message,
    });
    return { forge: name, outcome: 'postponed', events: [], until: dueAt };
  }
  if (outcome instanceof Error) {
    log.error(`${name} could not be looked at: it is tried again at ${again}`, {
      forge: name,
      failures,
      reason: outcome.message,
    });
    return { forge: name, outcome: 'failed', events: [], until: null };
  }
  switch (outcome.kind) {
    case 'begun':
      log.info(`${name} is looked at from now on: what happened before is not looked for`, { forge: name });
      return { forge: name, outcome: 'begun', events: [], until: null };
    case 'not-offered':
      if (failures === 1) log.warn(`${name} cannot be looked at: ${outcome.why}`, { forge: name });
      return { forge: name, outcome: 'not-offered', events: [], until: null };
    case 'looked':
      return tellFound(log, forge, { kind, took: outcome.took, behind: outcome.behind });
  }
}

function tellFound(
  log: Log,
  { name, intake }: ForgeConfig,
  { kind, took, behind }: { kind: LookKind; took: readonly ForgeEvent[]; behind: readonly string[] },
): LookTold {
  const events = took.map((event) => event.name);
  const fields = { forge: name, ...(behind.length === 0 ? {} : { unreadable: behind.length }) };
  if (events.length === 0) {
    log[kind === 'full' ? 'info' : 'debug'](`looked at ${name}: nothing was missed`, fields);
    return { forge: name, outcome: 'nothing', events, until: null };
  }
  const what = intake === 'poll' ? 'found' : 'caught up on';
  const items = new Set(took.map((e) => `${e.repository.fullName}#${e.item?.number}`));
  log.info(`${name}: ${what} ${counted(events.length, 'event')} on ${counted(items.size, 'item')}`, {
    ...fields,
    events: countsOf(events),
  });
  return { forge: name, outcome: 'found', events, until: null };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** `comment.created 3, issue.assigned 1` */
function countsOf(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}
