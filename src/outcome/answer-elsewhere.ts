/** The answer on the other items where somebody asked: its own part, or where to find what was said. */
import type { DispatchKey, RepositoryRef } from '../vocabulary.ts';
import { postedText } from './answer.ts';
import { type EffectDeps, effectKey, marker, once } from './effects.ts';
import type { OutgoingForge } from './outgoing-forge.ts';

export interface Elsewhere {
  key: DispatchKey;
  repository: RepositoryRef;
  isOurs: (user: { id: number; login: string }) => boolean;
  itemNumber: number;
  alsoAsked: readonly number[];
  /** what was posted, or refused, on `itemNumber` */
  answer: string;
  isPosted: boolean;
  /** by number; '' = the agent wrote none for it */
  parts: ReadonlyMap<number, string>;
  published: { hasNews: boolean; pullNumber: number | null; commentUrl: string | null };
  /** said with the answer when that could not be posted where it belonged */
  notes: readonly string[];
}

/** Hands back what the forge refused, in its words. */
export async function answerElsewhere(
  elsewhere: Elsewhere,
  deps: EffectDeps & { forge: OutgoingForge },
): Promise<string[]> {
  const refusals: string[] = [];
  for (const number of elsewhere.alsoAsked) {
    const posted = await post({ ...elsewhere, number }, deps);
    if (posted.kind === 'refused') refusals.push(posted.reason);
  }
  return refusals;
}

async function post(p: Elsewhere & { number: number }, deps: EffectDeps & { forge: OutgoingForge }) {
  const { key, repository, number } = p;
  const id = `comment:${number}`;
  const mark = marker(effectKey(key.dispatchId, id));
  const body = postedText({ ...textFor(p), marker: mark });
  return await once<{ url: string }>(deps, {
    ...key,
    kind: 'comment',
    id,
    request: { number, body },
    find: async () => {
      const comments = await deps.forge.listComments(repository, number);
      const ours = comments.find((c) => c.body.includes(mark) && p.isOurs(c.author));
      return ours === undefined ? null : { url: ours.htmlUrl };
    },
    perform: async () => ({ url: (await deps.forge.createComment(repository, number, body)).htmlUrl }),
  });
}

function textFor({ number, parts, published, answer, itemNumber, ...p }: Elsewhere & { number: number }) {
  const { hasNews, pullNumber, commentUrl } = published;
  const part = parts.get(number) ?? '';
  const isNew = hasNews && pullNumber !== null && pullNumber !== number;
  if (part !== '') return { answer: part, notes: isNew ? [`Pull request: #${pullNumber}`] : [] };
  // There is no posted answer to link to, so the notes are posted here.
  if (!p.isPosted) return { answer, notes: [...p.notes] };
  return {
    answer: `My answer is on #${itemNumber}${commentUrl === null ? '.' : `: ${commentUrl}`}`,
    notes: [],
  };
}
