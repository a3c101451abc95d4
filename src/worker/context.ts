/** Everything one dispatch needs to know before it runs: the item as the forge has it now, and the checkout. */

import { createHash } from 'node:crypto';
import type { AgentConfig } from '../config/config.ts';
import type { Snapshot } from '../flows/changes.ts';
import type { CiState, Comment, Forge, Item, Review } from '../forge/forge.ts';
import type { Lease } from '../mailbox/leases.ts';
import type { ForgeEvent, RepositoryRef } from '../vocabulary.ts';
import type { Checkout, CheckoutSpec, Workdir } from '../workdir.ts';

export interface CarriedMessage {
  id: string;
  event: ForgeEvent;
  with: Record<string, unknown>;
  flow: string;
  skill: string;
  priority: number;
}

export interface DispatchContext {
  /** with the messages that arrived while the forge was read */
  lease: Lease;
  messages: CarriedMessage[];
  /** the message whose skill makes the prompt: the most urgent, of those the newest; null when all were withdrawn */
  leading: CarriedMessage | null;
  repository: RepositoryRef & { defaultBranch: string; cloneUrl: string };
  item: Item;
  comments: Comment[];
  reviews: Review[];
  snapshot: Snapshot;
  checkout: Checkout;
  /** the branch to push to; null when the work has nowhere to go (a fork's pull request) */
  branch: { name: string; base: string } | null;
}

export interface ContextRequest {
  lease: Lease;
  agent: AgentConfig;
  account: { login: string; token: string };
  forge: Forge;
  workdir: Workdir;
  /** takes up what arrived since the lease; called after the comments were read */
  carryLate: () => Promise<Lease>;
}

export async function gatherContext(request: ContextRequest): Promise<DispatchContext> {
  const { lease, forge } = request;
  const repository = await forge.getRepository({
    id: lease.conversation.repository_id,
    fullName: lease.conversation.repository_name,
  });
  const number =
    leadingOf(lease.messages.map(readMessage))?.event.item?.number ?? lease.conversation.item_number;
  const item = await forge.getItem(repository, number);
  const [comments, reviews, ci] = await Promise.all([
    forge.listComments(repository, number),
    item.pull === null ? [] : forge.listReviews(repository, number),
    item.pull === null ? noCi : forge.ciState(repository, item.pull.headSha),
  ]);
  const late = await request.carryLate();
  const messages = late.messages.map(readMessage);
  const { spec, branch } = await checkoutSpec(request, repository, item);
  return {
    lease: late,
    messages,
    leading: leadingOf(messages),
    repository,
    item,
    comments,
    reviews,
    snapshot: snapshotOf(item, byOthers(comments, request), byOthers(reviews, request), ci),
    checkout: await request.workdir.prepare(spec),
    branch,
  };
}

export function leadingOf(messages: CarriedMessage[]): CarriedMessage | null {
  return messages.toSorted((a, b) => a.priority - b.priority).at(-1) ?? null;
}

const noCi: CiState = { state: 'none', failed: [] };

function readMessage(row: Lease['messages'][number]): CarriedMessage {
  return {
    id: row.id,
    event: JSON.parse(row.event) as ForgeEvent,
    with: JSON.parse(row.parameters) as Record<string, unknown>,
    flow: row.flow,
    skill: row.skill,
    priority: row.priority,
  };
}

/**
 * Where the agent works. One that publishes pull requests has a branch of its own for an issue, and works on the
 * pull request's own branch when the conversation began there. All others look at the pull request's head.
 */
async function checkoutSpec(
  request: ContextRequest,
  repository: DispatchContext['repository'],
  item: Item,
): Promise<{ spec: CheckoutSpec; branch: DispatchContext['branch'] }> {
  const { agent, account, lease } = request;
  const common = {
    conversation: lease.conversation.id,
    repository: { id: repository.id, fullName: repository.fullName },
    remote: { url: repository.cloneUrl, token: account.token },
    defaultBranch: repository.defaultBranch,
    identity: { name: account.login, email: `${account.login}@noreply.localhost` },
  };
  const own = `${agent.branchPrefix}/${lease.conversation.item_number}`;
  if (lease.conversation.item_kind === 'issue') {
    const branch = { name: own, base: repository.defaultBranch };
    const at = { kind: 'branch' as const, branch: branch.name, base: branch.base };
    return { spec: { ...common, at }, branch: agent.publish === 'pull-request' ? branch : null };
  }
  const pull = (await pullOf(request, repository, item)).pull!;
  const writable = agent.publish === 'pull-request' && !pull.fork && !pull.headRef.startsWith('refs/');
  if (writable) {
    const at = { kind: 'branch' as const, branch: pull.headRef, base: pull.baseRef };
    return { spec: { ...common, at }, branch: { name: pull.headRef, base: pull.baseRef } };
  }
  const number = lease.conversation.item_number;
  const at = { kind: 'pull' as const, number, sha: pull.headSha, base: pull.baseRef };
  return { spec: { ...common, at }, branch: null };
}

async function pullOf(request: ContextRequest, repository: RepositoryRef, item: Item): Promise<Item> {
  const { item_number } = request.lease.conversation;
  return item.number === item_number && item.pull !== null
    ? item
    : await request.forge.getItem(repository, item_number);
}

/** What the agent wrote itself is no news to it. */
function byOthers<T extends Comment | Review>(entries: T[], { account }: ContextRequest): T[] {
  return entries.filter((e) => e.author.login.toLowerCase() !== account.login.toLowerCase());
}

function snapshotOf(item: Item, comments: Comment[], reviews: Review[], ci: CiState): Snapshot {
  return {
    title: item.title,
    bodyHash: createHash('sha256').update(item.body).digest('hex'),
    state: item.state,
    labels: item.labels,
    assignees: item.assignees,
    commentIds: comments.map((c) => c.id),
    headSha: item.pull?.headSha ?? null,
    baseRef: item.pull?.baseRef ?? null,
    draft: item.pull?.draft ?? false,
    merged: item.pull?.merged ?? false,
    reviews: reviews.map((r) => ({
      id: r.id,
      author: r.author.login,
      verdict: r.verdict,
      commitId: r.commitId,
    })),
    ci,
  };
}
