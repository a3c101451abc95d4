/**
 * Trust: who may wake an agent, who our own accounts are and which repository an id is, as the forge answers it.
 *
 * Contract:
 * - `known` never calls the forge; null means that `judge` has to be asked, outside of any transaction.
 * - A delivery's own words about its repository or its sender are never an answer.
 * - Answers are remembered for minutes, refusals for half a minute; before a run they are asked for again.
 * - A forge that cannot be asked throws ForgeUnavailable, or ForgeRefused when it takes none of our tokens: neither is
 *   an answer, so whoever asks has to wait, and must not go on.
 */
import type { ForgeConfig } from './config/config.ts';
import type { Forge, Item } from './forges/forge.ts';
import type { Log } from './log.ts';
import { type CommentQuestion, commentWords } from './trust/comments.ts';
import { commentIsGone, type DeletionQuestion } from './trust/deletions.ts';
import {
  Identities,
  type Identity,
  type IdentityForge,
  type IdentityReport,
  sharedAccounts,
} from './trust/identities.ts';
import { type ItemQuestion, itemIsAsSaid, itemOnForge, type NumberQuestion } from './trust/items.ts';
import { type LabelForge, type LabelQuestion, type LabelsTold, labelsOf } from './trust/labels.ts';
import { Patience } from './trust/patience.ts';
import { Permissions } from './trust/permissions.ts';
import { ciOfPull, type PullCi } from './trust/pull-ci.ts';
import { type Identified, Repositories } from './trust/repositories.ts';
import { type AccountIds, type Judgement, judgeAnswer, judgeUnasked, type Question } from './trust/sender.ts';
import type { ForgeUser, RepositoryRef } from './vocabulary.ts';

/** What is asked of a forge. */
export type TrustForge = IdentityForge &
  LabelForge &
  Pick<
    Forge,
    'permissionOf' | 'identifyRepository' | 'getComment' | 'findReviewComment' | 'getItem' | 'ciState'
  >;

export interface TrustDeps {
  forges: () => Readonly<Record<string, ForgeConfig>>;
  /** the client that acts as this agent on this forge */
  client: (forge: ForgeConfig, agent: string) => TrustForge;
  now: () => number;
  log: Log;
}

export interface Trust {
  known(question: Question): Judgement | null;
  /** `maxAgeMs`: how old a remembered answer may be at most */
  judge(question: Question, maxAgeMs?: number): Promise<Judgement>;
  /** the repository that a delivery is really about */
  repository(forge: ForgeConfig, claimed: RepositoryRef): Promise<Identified>;
  /** whether a comment is really gone */
  isGone(question: DeletionQuestion): Promise<boolean>;
  /** a comment's words as the forge has them; null = no such comment by this person on this item */
  words(question: CommentQuestion): Promise<string | null>;
  /** which labels an item has, and which of them the sender has put on; null = none of our accounts sees the item */
  labels(question: LabelQuestion): Promise<LabelsTold | null>;
  /** whether an item has the author and the text that a delivery says */
  isAsSaid(question: ItemQuestion): Promise<boolean>;
  /** the item as the forge has it now; null = there is none */
  item(question: NumberQuestion): Promise<Item | null>;
  /** a pull request, and what CI says about its head now; null = there is none */
  pullCi(question: NumberQuestion): Promise<PullCi | null>;
  /**
   * asks the forge again where the answer may have changed; with anything but `ok` the agent must not act there
   */
  identityOf(forge: string, agent: string): Promise<Identity>;
  /** ids of our accounts, as far as they are known */
  ids(forge: ForgeConfig): AccountIds;
  /** notes the author that the forge shows for what the agent has just posted; a wrong one is logged */
  posted(forge: string, agent: string, author: ForgeUser): void;
  /**
   * why nothing may be written as this agent: its token acts in another account's name; null = it may write
   */
  whyNotWrite(forge: string, agent: string): string | null;
  /**
   * the configured account, where the token may not be asked for its owner; null = it may be asked, or the account's id
   * is unknown
   */
  assumed(forge: ForgeConfig, agent: string): ForgeUser | null;
  /** checks every agent on every forge, at start; logs what is wrong */
  checkIdentities(): Promise<IdentityReport[]>;
}

export function createTrust(deps: TrustDeps): Trust {
  const patience = new Patience(deps.now);
  const permissions = new Permissions({ ...deps, patience });
  const repositories = new Repositories({ ...deps, patience });
  const identities = new Identities(deps);
  const unasked = (question: Question) => judgeUnasked(question, identities.ids(question.forge));
  return {
    known: (question) => {
      const judged = unasked(question);
      if (judged !== null) return judged;
      const answer = permissions.remembered(question);
      return answer === null ? null : judgeAnswer(question, answer);
    },
    judge: async (question, maxAgeMs) =>
      unasked(question) ?? judgeAnswer(question, await permissions.of(question, maxAgeMs)),
    repository: (forge, claimed) => repositories.identify(forge, claimed),
    isGone: (question) => commentIsGone({ ...deps, patience }, question),
    words: (question) => commentWords({ ...deps, patience }, question),
    labels: (question) => labelsOf({ ...deps, patience }, question),
    isAsSaid: (question) => itemIsAsSaid({ ...deps, patience }, question),
    item: (question) => itemOnForge({ ...deps, patience }, question),
    pullCi: (question) => ciOfPull({ ...deps, patience }, question),
    identityOf: (forge, agent) => identities.of(forge, agent),
    ids: (forge) => identities.ids(forge),
    posted: (forge, agent, author) => {
      const identity = identities.posted(forge, agent, author);
      if (identity?.kind === 'wrong')
        deps.log.error(`the forge shows another author for a post of agent ${agent}: ${identity.reason}`);
    },
    assumed: (forge, agent) => {
      const id = identities.ids(forge).get(agent);
      return id === undefined ? null : { id, login: forge.accounts[agent]!.login };
    },
    whyNotWrite: (forge, agent) => identities.whyNotWrite(forge, agent),
    checkIdentities: async () => {
      const reports = await identities.check();
      for (const { forge, agent, identity } of reports) {
        if (identity.kind === 'ok') continue;
        if (identity.kind === 'assumed') deps.log.warn(identity.reason);
        else if (identity.kind === 'unavailable') {
          deps.log.warn(`agent ${agent} is not checked yet, ${forge} cannot be asked: ${identity.reason}`);
        } else deps.log.error(identity.reason);
      }
      for (const warning of sharedAccounts(reports)) deps.log.warn(warning);
      return reports;
    },
  };
}
