/** Whose secret signed a test delivery: the service takes every secret of the forge, and a repository may have its own. */
import { z } from 'zod';
import type { ForgeConfig } from '../config/config.ts';
import { secretHolderOf, secretPathOf } from '../config/listed-repositories.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';

interface Asked {
  forge: ForgeConfig;
  repository: RepositoryRef;
  /** unix ms */
  since: number;
}

const about = z.object({ repository: z.object({ id: z.int() }) });
const LOOKED_AT = 20;

/** `deliveries.signed_for` of the newest delivery about this repository; undefined when none can be seen. */
export async function signedFor(
  { rows }: DoctorContext,
  { forge, repository, since }: Asked,
): Promise<string | null | undefined> {
  const found = await rows
    ?.selectFrom('deliveries')
    .select(['body', 'signed_for'])
    .where('forge', '=', forge.name)
    .where('source', '=', 'webhook')
    .where('received_at', '>=', since)
    .orderBy('seq', 'desc')
    .limit(LOOKED_AT)
    .execute();
  return found?.find(({ body }) => isAbout(body, repository))?.signed_for;
}

function isAbout(body: Uint8Array, repository: RepositoryRef): boolean {
  try {
    const read = about.safeParse(JSON.parse(Buffer.from(body).toString()));
    return read.success && String(read.data.repository.id) === repository.id;
  } catch {
    // The body of a large delivery is kept in pieces, so it is empty here. Test deliveries are small.
    return false;
  }
}

/** A secret of another repository is taken at the edge, and refused when the delivery is read. */
export function judgeSigner(
  subject: string,
  forge: ForgeConfig,
  { repository, signer }: { repository: RepositoryRef; signer: string | null },
): Check[] {
  const wanted = secretHolderOf(forge, repository.fullName)?.pattern ?? null;
  if (wanted?.toLowerCase() === signer?.toLowerCase()) return [];
  return [
    {
      check: 'hook-secret',
      severity: 'broken',
      subject,
      problem: 'the hook signs with a secret that does not count for this repository',
      evidence: `the test delivery was signed with the secret of ${signer ?? `forges.${forge.name}`}`,
      remedy: `Set the secret of the hook to the value of ${secretPathOf(forge, repository.fullName)}.`,
    },
  ];
}
