/** Where the agent works: its branch, what that is for, and what its checkout stands on. */
import { cloneAddress } from '../forge/clone-address.ts';
import type { Item } from '../forge/forge.ts';
import { isAccountOf } from '../trust/sender.ts';
import type { ForgeUser, RepositoryRef } from '../vocabulary.ts';
import type { CheckoutSpec } from '../workdir.ts';
import type { ContextRequest, DispatchContext } from './gathered.ts';

/**
 * Where the agent works. One that publishes pull requests has a branch of its own for an issue, and works on the
 * pull request's own branch when the conversation began there. All others look at the pull request's head.
 */
export async function checkoutSpec(
  request: ContextRequest,
  repository: DispatchContext['repository'],
  item: Item,
): Promise<{ spec: CheckoutSpec } & Pick<DispatchContext, 'branch' | 'checkedOut'>> {
  const { agent, account, lease } = request;
  const common = {
    conversation: lease.conversation.id,
    relay: request.relay(lease.conversation.id),
    sign: request.sign,
    configurationFromBase: false,
    repository: { id: repository.id, fullName: repository.fullName },
    remote: { url: cloneAddress(request.forgeConfig.cloneUrl, repository.fullName), token: account.token },
    defaultBranch: repository.defaultBranch,
    identity: { name: account.login, email: `${account.login}@noreply.localhost` },
  };
  const own = `${agent.branchPrefix}/${lease.conversation.item_number}`;
  if (lease.conversation.item_kind === 'issue') {
    const branch = { name: own, base: repository.defaultBranch };
    const at = { kind: 'branch' as const, branch: branch.name, base: branch.base };
    return {
      spec: { ...common, at },
      branch: agent.publish === 'pull-request' ? branch : null,
      checkedOut: null,
    };
  }
  const found = await pullOf(request, repository, item);
  const pull = found.pull!;
  // What a pull request brings along must not instruct the agent that looks at it; its own is its own.
  const configurationFromBase = !isOwn(request, found.author);
  const writable = agent.publish === 'pull-request' && !pull.fork && !pull.headRef.startsWith('refs/');
  if (writable) {
    const at = { kind: 'branch' as const, branch: pull.headRef, base: pull.baseRef };
    return {
      spec: { ...common, configurationFromBase, at },
      branch: { name: pull.headRef, base: pull.baseRef },
      checkedOut: found,
    };
  }
  const number = lease.conversation.item_number;
  const at = { kind: 'pull' as const, number, sha: pull.headSha, base: pull.baseRef };
  return { spec: { ...common, configurationFromBase, at }, branch: null, checkedOut: found };
}

async function pullOf(request: ContextRequest, repository: RepositoryRef, item: Item): Promise<Item> {
  const { item_number } = request.lease.conversation;
  return item.number === item_number && item.pull !== null
    ? item
    : await request.forge.getItem(repository, item_number);
}

function isOwn({ forgeConfig, trust, agent }: ContextRequest, user: ForgeUser): boolean {
  return isAccountOf({ forge: forgeConfig, ids: trust.ids(forgeConfig), agent: agent.name }, user);
}
