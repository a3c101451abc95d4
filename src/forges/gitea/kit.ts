/** Forgejo and Gitea: one family, because the two differ in a handful of events. */
import type { ForgeUser } from '../../vocabulary.ts';
import type { ForgeKit, HeaderNames, TokenWords } from '../kit.ts';
import { createGiteaFamilyClient } from './client.ts';
import { parseGiteaFamilyDelivery } from './delivery.ts';
import { subscriptionsFor } from './hook-subscriptions.ts';
import type { FamilyMember } from './member.ts';
import { createGiteaFamilySetup } from './setup.ts';
import { readClaim } from './signature.ts';

const DELETED = -1;

const TOKENS: TokenWords = {
  scopes: 'write:issue, write:repository and read:user',
  administrator:
    'write:admin, write:repository, write:issue and read:user; for a hook of an owner also write:organization and write:user',
  issue: 'write:issue',
  repository: 'write:repository',
  self: 'read:user',
  organization: 'read:organization',
  namelessKind: 'a token for named repositories',
  nameless:
    'A token for named repositories (Forgejo 15 and newer) cannot have read:user: it works, but reads no hooks and no permissions of others, not even as an administrator, and sees no repository that it does not name.',
  readCi:
    'Let the account read Actions: in an organization give one of its teams the unit Actions of the repository, else add it as a collaborator; its token needs write:repository.',
};

export const FORGEJO = kitOf('forgejo', {
  title: 'Forgejo',
  headers: {
    event: 'X-Forgejo-Event',
    eventType: 'X-Forgejo-Event-Type',
    delivery: 'X-Forgejo-Delivery',
    example: 'issue_assign',
  },
});

export const GITEA = kitOf('gitea', {
  title: 'Gitea',
  headers: {
    event: 'X-Gitea-Event',
    eventType: 'X-Gitea-Event-Type',
    delivery: 'X-Gitea-Delivery',
    example: 'issue_assign',
  },
});

function kitOf(member: FamilyMember, own: { title: string; headers: HeaderNames }): ForgeKit {
  return {
    ...own,
    family: 'gitea',
    claim: readClaim,
    parse: parseGiteaFamilyDelivery,
    client: createGiteaFamilyClient,
    setup: (administrator) => createGiteaFamilySetup(member, administrator),
    accountOf,
    pulls: { folder: 'refs/pull', ref: (number) => `refs/pull/${number}/head` },
    hooks: subscriptionsFor(member),
    tokens: TOKENS,
  };
}

/** Both give deleted accounts the id -1, and their own robots lower ones. */
function accountOf({ id }: ForgeUser): ReturnType<ForgeKit['accountOf']> {
  if (id > 0) return 'person';
  return id === DELETED ? 'deleted' : 'robot';
}
