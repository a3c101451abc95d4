/**
 * Trust: who may wake an agent, and who our own accounts are, as the forge answers it.
 *
 * Contract:
 * - `known` never calls the forge; null means that `judge` has to be asked, outside of any transaction.
 * - Answers are remembered for minutes, refusals for half a minute; before a run they are asked for again.
 * - A forge that cannot be asked throws ForgeUnavailable, or ForgeRefused when it takes none of our tokens: neither is
 *   an answer, so whoever asks has to wait, and must not go on.
 */
import type { ForgeConfig } from './config/config.ts';
import type { Forge } from './forge/forge.ts';
import type { Log } from './log.ts';
import { Identities, type Identity, type IdentityReport, sharedAccounts } from './trust/identities.ts';
import { Permissions } from './trust/permissions.ts';
import { type AccountIds, type Judgement, judgeAnswer, judgeUnasked, type Question } from './trust/sender.ts';

export interface TrustDeps {
  forges: () => Readonly<Record<string, ForgeConfig>>;
  /** the client that acts as this agent on this forge */
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'permissionOf' | 'self'>;
  now: () => number;
  log: Log;
}

export interface Trust {
  known(question: Question): Judgement | null;
  /** `maxAgeMs`: how old a remembered answer may be at most */
  judge(question: Question, maxAgeMs?: number): Promise<Judgement>;
  /** asks the forge again where that is worth it; anything but `ok`: the agent must not act there */
  identityOf(forge: string, agent: string): Promise<Identity>;
  /** ids of our accounts, as far as they are known */
  ids(forge: ForgeConfig): AccountIds;
  /** every agent on every forge, at start; says in the log what is wrong */
  checkIdentities(): Promise<IdentityReport[]>;
}

export function createTrust(deps: TrustDeps): Trust {
  const permissions = new Permissions(deps);
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
    identityOf: (forge, agent) => identities.of(forge, agent),
    ids: (forge) => identities.ids(forge),
    checkIdentities: async () => {
      const reports = await identities.check();
      for (const { forge, agent, identity } of reports) {
        if (identity.kind === 'ok') continue;
        if (identity.kind === 'unavailable') {
          deps.log.warn(`agent ${agent} is not checked yet, ${forge} cannot be asked: ${identity.reason}`);
        } else deps.log.error(identity.reason);
      }
      for (const warning of sharedAccounts(reports)) deps.log.warn(warning);
      return reports;
    },
  };
}
