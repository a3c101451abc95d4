/** The real trust before a forge that knows the permissions it was told. */
import type { ForgeConfig } from '../../src/config/config.ts';
import { silentLog } from '../../src/log.ts';
import { createTrust, type Trust, type TrustDeps } from '../../src/trust.ts';
import type { ForgeUser, Permission } from '../../src/vocabulary.ts';

export interface KnownForge {
  /** what the forge answers, or throws; `agent` is whose account asks */
  permissionOf: (login: string, agent: string) => Permission | 'unknown' | Promise<Permission | 'unknown'>;
  /** whose token an agent has */
  self?: (agent: string) => ForgeUser;
  forges?: Readonly<Record<string, ForgeConfig>>;
  now?: () => number;
  log?: TrustDeps['log'];
}

export function trustWith(forge: KnownForge): Trust {
  return createTrust({
    forges: () => forge.forges ?? {},
    client: (_, agent) => ({
      permissionOf: async (_repository, login) => await forge.permissionOf(login, agent),
      self: async () => {
        if (forge.self === undefined) throw new Error('This forge was not told who its accounts are.');
        return forge.self(agent);
      },
    }),
    now: forge.now ?? Date.now,
    log: forge.log ?? silentLog,
  });
}

export function everybodyMayWrite(): Trust {
  return trustWith({ permissionOf: () => 'write' });
}
