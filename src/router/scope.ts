/** Whether the secret that signed a delivery is the one of the repository that it is about. Pure. */
import type { ForgeConfig } from '../config/config.ts';
import { secretHolderOf, secretPathOf } from '../config/listed-repositories.ts';
import type { ForgeEvent } from '../vocabulary.ts';

/** `signedFor` as in `deliveries.signed_for`. Null when it may count, else the reason why not. */
export function refuseByScope(
  forge: ForgeConfig,
  event: Pick<ForgeEvent, 'repository'>,
  signedFor: string | null,
): string | null {
  // The operator put it in from a file, or we did.
  if (signedFor === '*') return null;
  const { fullName } = event.repository;
  const holder = secretHolderOf(forge, fullName);
  const wanted = holder?.pattern ?? null;
  if (wanted?.toLowerCase() === signedFor?.toLowerCase()) return null;
  const signer =
    signedFor === null ? `forges.${forge.name}.webhook_secret` : `the own secret of ${signedFor}`;
  return (
    `it is about ${fullName} and was signed with ${signer}, which does not count there; ` +
    `give the hook that sent it the secret of ${secretPathOf(forge, fullName)}, or look who else knows the other one`
  );
}
