/** From what the forge and the rows say to the decision, and what the rows keep of it. Pure. */
import type { ForgeConfig } from '../config/config.ts';
import { hasLogin } from '../logins.ts';
import type { DecisionView } from '../vocabulary.ts';
import type { PullFacts } from './facts.ts';
import type { SeenPull } from './look.ts';
import { firstInLine, holdsTurnAfter } from './merge-order.ts';
import type { TeamStanding } from './rows.ts';
import { decidePull, onceKey, type PullDecision } from './table.ts';
import { openPoints, roundsOf, verdictAtHead, vetoOf } from './verdicts.ts';

export interface TeamSettings {
  merge: 'people' | 'boss';
  reviewRounds: number;
}

export interface Decided {
  facts: PullFacts;
  decision: PullDecision;
  view: DecisionView;
  /** of the act, where it is told once; null = each event that asks for it is told */
  onceKey: string | null;
  hasCi: boolean;
  holdsTurn: boolean;
  unsureSince: number | null;
  /** of the last review that asked for changes */
  openPoints: readonly string[];
}

export interface Deciding {
  forge: Pick<ForgeConfig, 'optOutLabels'>;
  seen: SeenPull;
  standing: TeamStanding;
  settings: TeamSettings;
  /** unix ms */
  now: number;
}

/** A forge looks for conflicts for a while after each push, and says meanwhile that it cannot be merged. */
export const SETTLES_MS = 10_000;

export function decideSeen(deciding: Deciding): Decided {
  const { seen, standing, settings, forge, now } = deciding;
  const { item, author, reviews, agentOf, needed, expectsCi } = seen;
  const { pull } = item;
  const { headSha, baseSha } = pull;
  const unsureSince = pull.mergeable === false ? (sameSpot(standing, headSha, baseSha) ?? now) : null;
  const verdict = verdictAtHead({ reviews, headSha, agentOf, needed });
  const veto = vetoOf({ reviews, agentOf });
  const own = { number: item.number, holdsTurn: standing.own?.holdsTurn === true };
  const facts: PullFacts = {
    number: item.number,
    state: pull.merged ? 'merged' : item.state,
    author,
    optOut: item.labels.find((label) => hasLogin(forge.optOutLabels, label)) ?? null,
    draft: pull.draft,
    headSha,
    baseSha,
    ci: seen.ci.state === 'none' && expectsCi ? 'pending' : seen.ci.state,
    mergeable: unsureSince === null ? 'yes' : now - unsureSince >= SETTLES_MS ? 'no' : 'unknown',
    verdict: { is: verdict.is, by: verdict.by },
    veto:
      veto === null
        ? null
        : { login: veto.author.login, atHead: veto.commitId === headSha, trusted: seen.trusted },
    rounds: roundsOf({ reviews, agentOf }),
    mostRounds: settings.reviewRounds,
    merge: settings.merge,
    rule: ruleOf(seen),
    after: firstInLine(own, standing.others),
  };
  const decision = decidePull(facts);
  return {
    facts,
    decision,
    view: { act: decision.act, row: decision.row, author, ci: facts.ci, reviewers: verdict.missing },
    onceKey: onceKey(decision, facts),
    hasCi: expectsCi,
    holdsTurn: holdsTurnAfter(decision.row, own.holdsTurn),
    unsureSince,
    openPoints: openPoints({ reviews, agentOf }),
  };
}

function sameSpot({ own }: TeamStanding, headSha: string, baseSha: string): number | null {
  return own !== null && own.headSha === headSha && own.baseSha === baseSha ? own.unsureSince : null;
}

/** A clause: what the rules of the base branch lack. */
function ruleOf({ rules, reviews, item }: SeenPull): string | null {
  if (rules === null) return null;
  const { baseRef } = item.pull;
  if (rules.mayMerge === false) return `the rules of ${baseRef} let no agent merge`;
  const last = new Map(
    reviews
      .filter(({ verdict }) => verdict !== 'commented')
      .map(({ author, verdict }) => [author.id, verdict]),
  );
  const approvals = [...last.values()].filter((verdict) => verdict === 'approved').length;
  return approvals >= rules.approvals
    ? null
    : `the rules of ${baseRef} ask for ${rules.approvals} approvals, and there ${approvals === 1 ? 'is 1' : `are ${approvals}`}`;
}
