/** The kinds of forge that can be configured, each with its kit. A new kind is one line here and one folder beside it. */
import { FORGEJO, GITEA } from './gitea/kit.ts';
import type { ForgeKit } from './kit.ts';

/**
 * The order counts for deliveries: they are of the first kind whose headers are there. Forgejo sends X-Gitea-* and
 * X-GitHub-* beside its own headers, and Gitea sends X-GitHub-* too.
 */
export const KITS = {
  forgejo: FORGEJO,
  gitea: GITEA,
} satisfies Readonly<Record<string, ForgeKit>>;

export type ForgeKind = keyof typeof KITS;

export const FORGE_KINDS = Object.keys(KITS) as [ForgeKind, ...ForgeKind[]];

/** Those that `claude-hooks init` can set up; they answer the question which of them they are. */
export const SET_UP_KINDS: readonly ForgeKind[] = FORGE_KINDS.filter((kind) => KITS[kind].setup !== null);

export function kitOf(kind: ForgeKind): ForgeKit {
  return KITS[kind];
}

/** null where we know no such kind, as in a delivery of a forge that is not served. */
export function findKit(kind: string): ForgeKit | null {
  return Object.hasOwn(KITS, kind) ? KITS[kind as ForgeKind] : null;
}

/** Folders of refs in which some forge keeps the heads of pull requests. */
export const PULL_FOLDERS: readonly string[] = [
  ...new Set(Object.values(KITS).map(({ pulls }) => pulls.folder)),
];
