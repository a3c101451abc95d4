/** A pull request as the forge has it now, with all that the table asks about. Reads, and keeps nothing. */
import type { AgentConfig, ForgeConfig } from '../config/config.ts';
import type { CiState, Forge, Item, MergeRules, Review } from '../forges/forge.ts';
import { hasLogin } from '../logins.ts';
import { closedIssues } from '../mailbox/conversations.ts';
import { firstAnswer } from '../trust/first-account.ts';
import type { Patience } from '../trust/patience.ts';
import { type AccountIds, agentOf } from '../trust/sender.ts';
import type { Trust } from '../trust.ts';
import type { ForgeUser, RepositoryRef } from '../vocabulary.ts';
import { verdictAtHead, vetoOf } from './verdicts.ts';

type LookForge = Pick<Forge, 'getItem' | 'ciState' | 'listReviews' | 'mergeRules'>;

export interface LookDeps {
  client: (forge: ForgeConfig, agent: string) => LookForge;
  trust: Pick<Trust, 'judge'>;
  patience: Patience;
}

export interface PullQuestion {
  forge: ForgeConfig;
  ids: AccountIds;
  agents: ReadonlyMap<string, AgentConfig>;
  repository: RepositoryRef;
  number: number;
  /** CI has reported on one of its commits before */
  hasCi: boolean;
}

export interface SeenPull {
  item: Item & { pull: NonNullable<Item['pull']> };
  /** agent that opened it */
  author: string;
  ci: CiState;
  /** whether CI may be expected to report on the head */
  expectsCi: boolean;
  reviews: readonly Review[];
  agentOf: (user: ForgeUser) => string | null;
  /** agents whose approval is needed */
  needed: readonly string[];
  /** whether the person with a veto may give agents work */
  trusted: boolean;
  rules: MergeRules | null;
}

/**
 * Null where it is no pull request of one of our agents, or none of our accounts sees it. Throws ForgeUnavailable or
 * ForgeRefused when no account gets an answer: that is no decision, and whoever asks has to wait.
 */
export async function lookAtPull(deps: LookDeps, question: PullQuestion): Promise<SeenPull | null> {
  const { forge, ids, agents, repository, number } = question;
  return await deps.patience.ask(forge.name, async () => {
    const ask = <T>(read: (client: LookForge, agent: string) => Promise<T>) =>
      firstAnswer(forge, (agent) => read(deps.client(forge, agent), agent));
    const item = await ask((client) => client.getItem(repository, number));
    const { pull = null } = item ?? {};
    const author = item === null ? null : agentOf(forge, ids, item.author);
    if (item === null || pull === null || author === null) return null;
    const [ci, reviews, labels] = await Promise.all([
      ask((client) => client.ciState(repository, pull.headSha)),
      ask((client) => client.listReviews(repository, number)),
      labelsOf(item, agents, (issue) => ask((client) => client.getItem(repository, issue))),
    ]);
    const named = (user: ForgeUser) => agentOf(forge, ids, user);
    const needed = neededReviewers(forge, agents, { labels, author });
    const known = { reviews: reviews ?? [], agentOf: named };
    const veto = vetoOf(known);
    const isApproved = verdictAtHead({ ...known, headSha: pull.headSha, needed }).is === 'approved';
    const rules = isApproved
      ? await ask((client, agent) => rulesFor(client, { repository, branch: pull.baseRef, agent, forge }))
      : null;
    return {
      item: { ...item, pull },
      author,
      ci: ci ?? { state: 'none', failed: [] },
      expectsCi:
        ci?.state !== 'none' ||
        question.hasCi ||
        (await ask((client) => client.ciState(repository, pull.baseSha)))?.state !== 'none',
      ...known,
      needed,
      trusted:
        veto !== null &&
        (await deps.trust.judge({ forge, repository, user: veto.author, event: 'review.submitted' })).allowed,
      rules,
    };
  });
}

const BOSS = 'boss';

/** What may be merged depends on whose account it is: the boss's, where it has one. */
async function rulesFor(
  client: LookForge,
  o: { repository: RepositoryRef; branch: string; agent: string; forge: ForgeConfig },
): Promise<MergeRules | null> {
  const answer = await client.mergeRules(o.repository, o.branch);
  if (answer.kind === 'not-offered') return null;
  const isItsOwn = o.agent === BOSS || o.forge.accounts[BOSS] === undefined;
  return isItsOwn ? answer : { ...answer, mayMerge: null };
}

/** Reviewers with an account here; one that is for labels only where there is one of them. */
function neededReviewers(
  forge: ForgeConfig,
  agents: PullQuestion['agents'],
  { labels, author }: { labels: readonly string[]; author: string },
): string[] {
  return [...agents.values()]
    .filter(
      ({ name, publish }) => publish === 'review' && name !== author && Object.hasOwn(forge.accounts, name),
    )
    .filter(
      ({ reviewLabels }) => reviewLabels.length === 0 || reviewLabels.some((one) => hasLogin(labels, one)),
    )
    .map(({ name }) => name);
}

/** Its own, and those of the issue that it closes: an agent's pull request has none of its own at first. */
async function labelsOf(
  item: Item,
  agents: PullQuestion['agents'],
  issueOf: (number: number) => Promise<Item | null>,
): Promise<readonly string[]> {
  const isAsked = [...agents.values()].some(({ reviewLabels }) => reviewLabels.length > 0);
  const [number] = closedIssues(item.body);
  if (!isAsked || number === undefined) return item.labels;
  return [...item.labels, ...((await issueOf(number))?.labels ?? [])];
}
