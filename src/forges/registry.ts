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

/** How a forge is asked before its kind is known: kits of one family speak alike at first. */
export const FIRST_KIND: ForgeKind = FORGE_KINDS[0];

export function kitOf(kind: ForgeKind): ForgeKit {
  return KITS[kind];
}

/** null where we know no such kind, as in a delivery of a forge that is not served. */
export function findKit(kind: string): ForgeKit | null {
  return Object.hasOwn(KITS, kind) ? KITS[kind as ForgeKind] : null;
}

/** All kinds, as people call them: `Forgejo or Gitea`. */
export const FORGE_TITLES = Object.values(KITS)
  .map(({ title }) => title)
  .join(' or ');

/** Folders of refs in which some forge keeps the heads of pull requests. */
export const PULL_FOLDERS: readonly string[] = [
  ...new Set(Object.values(KITS).map(({ pulls }) => pulls.folder)),
];
