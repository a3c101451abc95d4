/**
 * Who signed a delivery: first what the header alone tells, then, once the body has been hashed, whose secret it was.
 */
import type { ForgeConfig } from '../config/config.ts';
import { type Signer, signersOf } from '../config/listed-repositories.ts';
import { RequestRefused } from '../errors.ts';
import type { BodyHash, SentClaim } from '../forges/kit.ts';
import { kitOf } from '../forges/registry.ts';

/** A signature from a header, which the body must still prove. */
export interface Claim {
  digests: BodyHash;
  /**
   * The listed entry whose secret signed it; null for the forge's own secret. Throws RequestRefused when no secret
   * matches.
   */
  prove(): { scope: string | null };
}

/** Throws RequestRefused when no body could prove the header. */
export function requireClaim(headers: Headers, forge: ForgeConfig): Claim {
  const signers: Signer[] = signersOf(forge);
  const sent = kitOf(forge.kind).claim(
    headers,
    signers.map(({ secret }) => secret),
  );
  // guard: bodies: header before body
  if (sent.kind !== 'claim') throw refused(sent.kind, forge);
  const { digests, signer } = sent.claim;
  return {
    digests,
    prove: () => {
      const number = signer();
      // guard: signature
      if (number === null) throw refused('wrong', forge);
      return { scope: signers[number]!.scope };
    },
  };
}

function refused(why: Exclude<SentClaim['kind'], 'claim'> | 'wrong', forge: ForgeConfig): RequestRefused {
  const where = `forges.${forge.name}.webhook_secret${
    forge.repositories.some(({ secrets }) => secrets.length > 0) ? ', or of the repository’s own' : ''
  }`;
  const sentences: Record<typeof why, string> = {
    missing: `The request carries no signature. Set the hook's secret to the value of ${where}.`,
    empty: `The signature is empty: the hook has no secret. Set it to the value of ${where}.`,
    malformed: `The signature is not a SHA-256 in hexadecimal. Let the forge sign, or sign the raw body with HMAC-SHA256.`,
    wrong: `The signature does not match the body. The hook's secret and ${where} differ; set both to the same value.`,
  };
  return new RequestRefused(401, `signature-${why}`, sentences[why]);
}
