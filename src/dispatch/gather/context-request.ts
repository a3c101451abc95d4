/** A dispatch's own parts in the form that the context asks for. */
import { relayInside } from '../../container/place.ts';
import { renameRepository } from '../../mailbox/conversations.ts';
import { hasPushed } from '../../mailbox/pushes.ts';
import type { DispatchDeps, Work } from '../dispatch.ts';
import type { ContextRequest } from './context.ts';
import { itemsOf } from './conversation-items.ts';

export function contextRequest(work: Work, deps: DispatchDeps): ContextRequest {
  const { lease, agent, account, forgeConfig, forge } = work;
  return {
    lease,
    agent,
    account,
    forgeConfig,
    forge,
    trust: deps.trust,
    workdir: deps.workdir,
    relay: () => relayInside(deps.runner.engine),
    renamed: (fullName) => renameRepository(deps.database.rows, lease.conversation, fullName),
    hasPushed: (sha) => hasPushed(deps.database.rows, lease.conversation.id, sha),
    joined: () => itemsOf(deps.database.rows, lease),
    sign: deps.config().git.signingKeyFile !== null,
    maxLfsBytes: deps.config().git.maxLfsBytes,
  };
}
