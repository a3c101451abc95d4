/** Who signed a delivery: what can be refused by the header alone, and whose secret it was in the end. */
import type { ForgeConfig } from '../config/config.ts';
import { type Signer, signersOf } from '../config/listed-repositories.ts';
import { RequestRefused } from '../errors.ts';
import { BodyDigests, readSignature, type SentSignature } from '../security.ts';

/** A signature that a header carries and a body must still prove. */
export interface Claim {
  digests: BodyDigests;
  /** The entry whose secret signed it, null for the forge's. Throws RequestRefused when no secret did. */
  prove(): { scope: string | null };
}

/** Throws RequestRefused when there is nothing a body could prove. */
export function requireClaim(headers: Headers, forge: ForgeConfig): Claim {
  const sent = readSignature(headers);
  // guard: bodies: header before body
  if (sent.kind !== 'digest') throw refused(sent.kind, forge);
  const signers: Signer[] = signersOf(forge);
  const digests = new BodyDigests(signers.map(({ secret }) => secret));
  return {
    digests,
    prove: () => {
      const signer = digests.signedWith(sent.digest);
      // guard: signature
      if (signer === null) throw refused('wrong', forge);
      return { scope: signers[signer]!.scope };
    },
  };
}

function refused(
  why: Exclude<SentSignature['kind'], 'digest'> | 'wrong',
  forge: ForgeConfig,
): RequestRefused {
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
