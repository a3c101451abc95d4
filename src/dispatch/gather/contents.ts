/** What a checkout has beside the repository's own files: contents in Git LFS, and submodules. */
import type { ForgeConfig } from '../../config/config.ts';
import { isListed } from '../../config/listed-repositories.ts';
import { cloneAddress } from '../../forges/clone-address.ts';
import type { CheckoutSpec } from '../../workdir.ts';

/** Submodules: of the same forge, with the same account, and only what the operator listed. */
export function contentsOf(o: {
  forgeConfig: ForgeConfig;
  account: { token: string };
  maxLfsBytes: number;
}): Required<Pick<CheckoutSpec, 'lfs' | 'submodules'>> {
  const { url, cloneUrl, lfs } = o.forgeConfig;
  return {
    lfs: { fetch: lfs === 'fetch', maxBytes: o.maxLfsBytes },
    submodules: {
      addresses: [url, cloneUrl],
      remoteOf: (fullName) =>
        // guard: submodules: only what is listed
        isListed(o.forgeConfig, fullName)
          ? { url: cloneAddress(cloneUrl, fullName), token: o.account.token }
          : null,
    },
  };
}
