/** Which entry of `repositories` a name falls under, and which secret must have signed its deliveries. Pure. */
export interface ListedRepository {
  /** `owner/name` or `owner/*` */
  pattern: string;
  /** its own: any of them may have signed its deliveries, and nothing else; empty = the forge's count */
  secrets: readonly string[];
}

/** What is needed of a `ForgeConfig`. */
interface Listing {
  name: string;
  webhookSecrets: readonly string[];
  repositories: readonly ListedRepository[];
}

/** A secret that may have signed a delivery, and what it signs for. */
export interface Signer {
  secret: string;
  /** the entry whose own secret it is, as it is written; null for the forge's */
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
 * The entry whose secret a repository's deliveries must be signed with, or null for the forge's. Of several entries with
 * a secret the exact name counts before `owner/*`.
 */
export function secretHolderOf(
  { repositories }: Pick<Listing, 'repositories'>,
  fullName: string,
): ListedRepository | null {
  const holders = repositories.filter((entry) => entry.secrets.length > 0 && covers(entry, fullName));
  return holders.find((entry) => !isWhole(entry)) ?? holders[0] ?? null;
}

/** Where the configuration has the secret of a repository's hook: for sentences that tell somebody to look there. */
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

/** all of an owner */
function isWhole({ pattern }: ListedRepository): boolean {
  return pattern.endsWith('/*');
}
