/** What may pass the package door, by the lock files that count. Pure. */
import type { EcosystemName, PackagePolicy } from '../vocabulary.ts';
import { isWanted } from './digests.ts';
import type { Asked, AskedArtefact, AskedMetadata } from './ecosystem.ts';
import type { Locked } from './locked.ts';
import { PackageRefused } from './refused.ts';

/** The lock files that count, by package. */
export class LockedPackages {
  readonly #byName: ReadonlyMap<string, readonly Locked[]>;
  /** paths of the files, for messages */
  readonly files: readonly string[];

  constructor(locked: readonly Locked[], files: readonly string[]) {
    this.#byName = Map.groupBy(locked, ({ ecosystem, name }) => keyOf(ecosystem, name));
    this.files = files;
  }

  of(ecosystem: EcosystemName, name: string): readonly Locked[] {
    return this.#byName.get(keyOf(ecosystem, name)) ?? [];
  }
}

const keyOf = (ecosystem: EcosystemName, name: string) => `${ecosystem} ${name}`;

/** The stricter of two. */
export function stricterPolicy(one: PackagePolicy, other: PackagePolicy): PackagePolicy {
  const order: Record<PackagePolicy, number> = { off: 0, lockfile: 1, registry: 2 };
  return order[one] < order[other] ? one : other;
}

/** A session that has read strangers' words has at most what the base branch names. */
export function policyOfRun(configured: PackagePolicy, restriction: string | null): PackagePolicy {
  // guard: packages: a marked session
  return restriction === null ? configured : stricterPolicy(configured, 'lockfile');
}

export interface Judged {
  ecosystem: EcosystemName;
  asked: Asked;
  policy: PackagePolicy;
  locked: LockedPackages;
}

/**
 * Before the registry is asked. Answers what the lock files have of the package; null = they do not matter. Throws
 * PackageRefused.
 */
export function judgeAsked({ ecosystem, asked, policy, locked }: Judged): readonly Locked[] | null {
  if (policy === 'registry') return null;
  if (policy === 'off') {
    throw new PackageRefused(403, 'policy', 'This agent may not install packages.');
  }
  if (asked.name === null) return [];
  const known = locked.of(ecosystem, asked.name);
  // guard: packages: only names in a lock file
  if (known.length === 0) throw notLocked(asked, locked);
  if (asked.kind === 'metadata') return known;
  const ofVersion = known.filter(({ version }) => version === null || version === asked.version);
  if (ofVersion.length === 0) throw notLocked(asked, locked);
  if (ofVersion.every(({ digests }) => digests.length === 0)) throw withoutDigest(asked);
  return ofVersion;
}

/** Once the file is here, before the client gets a byte of it. Throws PackageRefused. */
export function judgeContent(
  asked: AskedArtefact,
  found: readonly string[],
  { locked, announced }: { locked: readonly Locked[] | null; announced: readonly string[] },
): void {
  const wanted = locked?.flatMap(({ digests }) => digests) ?? null;
  // guard: packages: only content in a lock file
  if (wanted !== null && !isWanted(found, wanted)) {
    throw anotherHash(asked, 'the lock file of the base branch');
  }
  if (announced.length > 0 && !isWanted(found, announced))
    throw anotherHash(asked, "the registry's own list");
}

function anotherHash(asked: AskedArtefact, where: string): PackageRefused {
  return new PackageRefused(
    403,
    'another-hash',
    `${shown(asked)} is not passed: what the registry serves has another hash than ${where} says. A person should find out why before it is used.`,
  );
}

function withoutDigest(asked: AskedArtefact): PackageRefused {
  return new PackageRefused(
    403,
    'not-locked',
    `${shown(asked)} is not passed: the lock file names it without a hash of its file, so its content cannot be checked. Use a lock file with hashes, or ask a person for the policy "registry".`,
  );
}

function notLocked(asked: AskedMetadata | AskedArtefact, { files }: LockedPackages): PackageRefused {
  const where =
    files.length === 0
      ? 'the base branch has no lock file'
      : `it is in no lock file of the base branch (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''})`;
  return new PackageRefused(
    403,
    'not-locked',
    `${shown(asked)} is not passed: ${where}. Work with what is there, or ask a person to approve a commit whose lock file has it: claude-hooks packages approve <owner/name> <commit>.`,
  );
}

function shown(asked: AskedMetadata | AskedArtefact): string {
  return asked.kind === 'artefact' ? `${asked.name} ${asked.version}` : String(asked.name);
}
