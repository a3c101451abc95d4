/**
 * A client that reports the author of everything it posts. Some tokens cannot be asked whose they are (Forgejo's for named
 * repositories), but what they create shows its author.
 */
import { ForgeRefused } from '../errors.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { Forge, ForgeMarker, ForgeWriter } from './forge.ts';

export interface AuthorWatch {
  /** throws when this account must not write */
  beforeWrite(): void;
  posted(author: ForgeUser): void;
  /** whose account it is taken for where its token may not be asked; null = that is not known */
  assumed(): ForgeUser | null;
}

type Write = keyof ForgeWriter | keyof ForgeMarker;

/** Where the answer of a write has its author; null = nowhere. A write without a line here does not compile. */
const AUTHORS: {
  readonly [K in Write]: ((answer: Awaited<ReturnType<Forge[K]>>) => ForgeUser | undefined) | null;
} = {
  createComment: ({ author }) => author,
  createIssue: ({ author }) => author,
  openPull: ({ author }) => author,
  submitReview: ({ author }) => author,
  // Somebody else may have written what is changed here.
  editComment: null,
  deleteComment: null,
  updatePull: null,
  setStatus: null,
  merge: null,
  addLabels: null,
  removeLabel: null,
  listLabels: null,
  setAssignees: null,
  requestReview: null,
  react: null,
};

export function watchAuthors(forge: Forge, watch: AuthorWatch): Forge {
  return new Proxy(forge, {
    get(_target, name) {
      const member = (forge as unknown as Record<string | symbol, unknown>)[name];
      if (name === 'self') return () => selfOf(forge, watch);
      if (typeof member !== 'function' || !Object.hasOwn(AUTHORS, name)) return member;
      const authorOf = AUTHORS[name as Write] as ((answer: unknown) => ForgeUser | undefined) | null;
      return async (...args: unknown[]) => {
        watch.beforeWrite();
        const answer: unknown = await member.apply(forge, args);
        const author = authorOf?.(answer);
        // guard: world trust: the author of what we post
        if (author !== undefined) watch.posted(author);
        return answer;
      };
    },
  });
}

async function selfOf(forge: Forge, watch: AuthorWatch): Promise<ForgeUser> {
  try {
    return await forge.self();
  } catch (error) {
    const assumed = error instanceof ForgeRefused && error.status === 403 ? watch.assumed() : null;
    if (assumed === null) throw error;
    return assumed;
  }
}
