/** What a lock file says of one package: the words of policy and readers. */
import type { EcosystemName } from '../vocabulary.ts';

export type { EcosystemName };

export interface Locked {
  ecosystem: EcosystemName;
  /** in the ecosystem's own normal form, as `Asked.name` has it */
  name: string;
  /** null = the file does not say */
  version: string | null;
  /** `sha512-<base64>` and so on, as Subresource Integrity writes them, or `go-h1:<base64>` */
  digests: readonly string[];
}
