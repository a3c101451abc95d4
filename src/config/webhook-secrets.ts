/**
 * Checks the secrets of a forge: each repository is covered by one, and the secret of an entry is used for nothing
 * else.
 */
import type { z } from 'zod';
import type { FeedbackLevel } from '../vocabulary.ts';
import { type ListedRepository, secretHolderOf } from './listed-repositories.ts';

export interface WrittenForge {
  webhook_secret?: string | string[] | undefined;
  intake?: string | undefined;
  repositories: (
    | string
    | {
        name: string;
        webhook_secret?: string | string[] | undefined;
        feedback?: FeedbackLevel | undefined;
        merge?: 'people' | 'boss' | undefined;
      }
  )[];
}

export function listedRepositories({ repositories }: WrittenForge): ListedRepository[] {
  return repositories.map((entry) =>
    typeof entry === 'string' || entry?.name === undefined
      ? { pattern: String(entry), secrets: [], feedback: null, merge: null }
      : {
          pattern: entry.name,
          secrets: [entry.webhook_secret ?? []].flat(),
          feedback: entry.feedback ?? null,
          merge: entry.merge ?? null,
        },
  );
}

/** The secrets of a forge and of its repositories. */
export function secretsOfHooks(forge: WrittenForge): string[] {
  const own = listedRepositories(forge).flatMap(({ secrets }) => secrets);
  return [...[forge.webhook_secret ?? []].flat(), ...own];
}

/**
 * This check also runs when something else is wrong with the forge, so that both problems are reported at once.
 */
export function hasEverySecret(forge: Partial<WrittenForge>): boolean {
  // Without hooks nothing is signed.
  if (forge.webhook_secret !== undefined || forge.intake === 'poll') return true;
  if (!Array.isArray(forge.repositories)) return false;
  const repositories = listedRepositories({ repositories: forge.repositories });
  return repositories.every(({ pattern }) => secretHolderOf({ repositories }, pattern) !== null);
}

export function checkWebhookSecrets(forge: WrittenForge, issues: z.RefinementCtx): void {
  const listed = listedRepositories(forge);
  const report = (path: (string | number)[], message: string, remedy: string) =>
    issues.addIssue({ code: 'custom', path, message, params: { remedy } });
  const owners = new Map([forge.webhook_secret ?? []].flat().map((secret) => [secret, 'the forge']));
  const names = new Set<string>();
  for (const [index, { pattern, secrets }] of listed.entries()) {
    if (secrets.length === 0) continue;
    const path = ['repositories', index];
    if (names.has(pattern.toLowerCase())) {
      report(
        [...path, 'name'],
        'another entry of this name has a secret, too',
        'Keep one of them, with a list of both secrets.',
      );
    }
    names.add(pattern.toLowerCase());
    for (const secret of secrets) {
      const owner = owners.get(secret);
      if (owner !== undefined && owner !== pattern) {
        report(
          [...path, 'webhook_secret'],
          `this is the secret of ${owner}, too, so a signature does not show which of the two it is for`,
          'Make a secret of its own for it, or leave it out here.',
        );
      }
      owners.set(secret, pattern);
    }
  }
}
