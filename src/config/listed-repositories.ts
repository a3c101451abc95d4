/** Which entry of `repositories` a name falls under, and what it says: secret, feedback. Pure. */
import type { FeedbackLevel } from '../vocabulary.ts';

export interface ListedRepository {
  /** `owner/name` or `owner/*` */
  pattern: string;
  /** secrets of its own: its deliveries must be signed with one of them; empty = the forge's secrets count */
  secrets: readonly string[];
  /** null = as the forge has it; left out where nobody configured it */
  feedback?: FeedbackLevel | null;
  /** who merges what is ready there; null = as `team.merge` has it */
  merge?: 'people' | 'boss' | null;
}

/** What the forge shows of the work in a repository: its own setting, then the forge's, then the general one. */
export function feedbackOf(
  config: {
    feedback: FeedbackLevel;
    forges: Readonly<Record<string, Pick<Listing, 'repositories'> & { feedback: FeedbackLevel | null }>>;
  },
  place: { forge: string; fullName: string },
): FeedbackLevel {
  const forge = config.forges[place.forge];
  if (forge === undefined) return 'none';
  // guard: feedback: the nearest setting counts
  return settingOf(forge, place.fullName, 'feedback') ?? forge.feedback ?? config.feedback;
}

/** What the entries of a repository say: an exact name goes before `owner/*`. Null = none says anything. */
export function settingOf<K extends 'feedback' | 'merge'>(
  { repositories }: Pick<Listing, 'repositories'>,
  fullName: string,
  key: K,
): NonNullable<ListedRepository[K]> | null {
  const entries = repositories.filter((entry) => entry[key] != null && covers(entry, fullName));
  const own = entries.find((entry) => !isWhole(entry)) ?? entries[0];
  return own?.[key] ?? null;
}

/** The fields of `ForgeConfig` that are needed here. */
interface Listing {
  name: string;
  webhookSecrets: readonly string[];
  repositories: readonly ListedRepository[];
}

/** A secret that a delivery may be signed with, and the repositories that the secret counts for. */
export interface Signer {
  secret: string;
  /** pattern of the entry that has the secret for itself; null = it is the forge's secret */
  scope: string | null;
}

export function signersOf(forge: Listing): Signer[] {
  return [
    ...forge.webhookSecrets.map((secret) => ({ secret, scope: null })),
    ...forge.repositories.flatMap(({ pattern, secrets }) =>
      secrets.map((secret) => ({ secret, scope: pattern })),
    ),
  ];
}

export function isListed({ repositories }: Pick<Listing, 'repositories'>, fullName: string): boolean {
  return repositories.some((entry) => covers(entry, fullName));
}

/**
 * The entry whose secret must sign a repository's deliveries, or null when the forge's secret must. Of several entries
 * with a secret, an exact name goes before `owner/*`.
 */
export function secretHolderOf(
  { repositories }: Pick<Listing, 'repositories'>,
  fullName: string,
): ListedRepository | null {
  const holders = repositories.filter((entry) => entry.secrets.length > 0 && covers(entry, fullName));
  return holders.find((entry) => !isWhole(entry)) ?? holders[0] ?? null;
}

/**
 * Path in the configuration of the secret of a repository's hook, for texts that tell somebody to look there.
 */
export function secretPathOf(forge: Listing, fullName: string): string {
  const holder = secretHolderOf(forge, fullName);
  return holder === null
    ? `forges.${forge.name}.webhook_secret`
    : `forges.${forge.name}.repositories, entry ${holder.pattern}, webhook_secret`;
}

function covers({ pattern }: ListedRepository, fullName: string): boolean {
  const [wanted, name] = [pattern.toLowerCase(), fullName.toLowerCase()];
  return wanted.endsWith('/*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
}

/** The entry is `owner/*`: all repositories of an owner. */
function isWhole({ pattern }: ListedRepository): boolean {
  return pattern.endsWith('/*');
}
