/**
 * Which labels an item has, and which of them the sender of a delivery has put on. Deliveries do not name the change,
 * and their lists cannot always be trusted: some have the old set of labels.
 */
import type { ForgeConfig } from '../config/config.ts';
import type { Forge, TimelineEntry } from '../forges/forge.ts';
import type { ForgeUser, RepositoryRef } from '../vocabulary.ts';
import { firstAnswer } from './first-account.ts';
import type { Patience } from './patience.ts';

export interface LabelDeps {
  client: (forge: ForgeConfig, agent: string) => LabelForge;
  patience: Patience;
}

export type LabelForge = Pick<Forge, 'getItem' | 'timeline'>;

export interface LabelQuestion {
  forge: ForgeConfig;
  repository: RepositoryRef;
  number: number;
  sender: ForgeUser;
  /** RFC 3339: what happened earlier does not belong to the sender's act */
  since: string;
}

export interface LabelsTold {
  /** complete sets, as they are now */
  labels: string[];
  assignees: string[];
  /** labels that the sender has put on since then; all labels where the forge does not say who put them on */
  added: string[];
  /** label in lower case → when it was last put on since then */
  putOn: ReadonlyMap<string, string>;
  /** when labels last changed; '' = not since then */
  changedAt: string;
}

/**
 * null: none of our accounts sees the item. Throws ForgeUnavailable or ForgeRefused when no account gets an answer.
 */
export async function labelsOf(deps: LabelDeps, question: LabelQuestion): Promise<LabelsTold | null> {
  const { forge } = question;
  return await deps.patience.ask(forge.name, () =>
    firstAnswer(forge, (agent) => askOne(deps.client(forge, agent), question)),
  );
}

async function askOne(client: LabelForge, question: LabelQuestion): Promise<LabelsTold> {
  const { labels, assignees } = await client.getItem(question.repository, question.number);
  const changes = await labelChanges(client, question);
  if (changes === null) return { labels, assignees, added: labels, putOn: new Map(), changedAt: '' };
  const last = new Map<string, TimelineEntry>();
  for (const entry of changes) {
    if (entry.kind !== 'labeled') continue;
    for (const name of entry.subjects) last.set(name.toLowerCase(), entry);
  }
  return {
    labels,
    assignees,
    added: labels.filter((name) => last.get(name.toLowerCase())?.by.id === question.sender.id),
    putOn: new Map([...last].map(([name, { at }]) => [name, at])),
    changedAt: changes.at(-1)?.at ?? '',
  };
}

/** At most 500 entries since the act are read. */
const MOST_PAGES = 10;

/** null: this forge has no timeline, or does not show it to us. */
async function labelChanges(
  client: LabelForge,
  { repository, number, since }: LabelQuestion,
): Promise<TimelineEntry[] | null> {
  const found: TimelineEntry[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const answer = await client.timeline(repository, number, { since, page });
    if (answer.kind === 'not-offered') return null;
    found.push(...answer.entries.filter(({ kind }) => kind === 'labeled' || kind === 'unlabeled'));
    if (answer.isLast) break;
  }
  return found;
}
