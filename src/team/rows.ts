/** What the rows keep of decisions: the last one of each pull request, and which acts were told to whom. */
import type { Rows } from '../database/database.ts';
import type { PullAct, RepositoryRef } from '../vocabulary.ts';
import type { PullFacts } from './facts.ts';
import { type InLine, waitsForTurn } from './merge-order.ts';

/** What a decision rests on besides the forge. Read before it, and again by the transaction that writes it. */
export interface TeamStanding {
  own: {
    headSha: string;
    baseSha: string;
    hasCi: boolean;
    holdsTurn: boolean;
    /** unix ms */
    unsureSince: number | null;
  } | null;
  /** other open ones of the repository, by number */
  others: InLine[];
  /** `agent act-key`, sorted */
  told: string[];
}

export interface PullPlace {
  forge: string;
  repositoryId: string;
  number: number;
}

export async function readTeamStanding(rows: Rows, place: PullPlace): Promise<TeamStanding> {
  const found = await rows
    .selectFrom('pull_decisions')
    .selectAll()
    .where('forge', '=', place.forge)
    .where('repository_id', '=', place.repositoryId)
    .where('is_open', '=', 1)
    .orderBy('number')
    .execute();
  const told = await rows
    .selectFrom('pull_acts')
    .select(['agent', 'act_key'])
    .where('forge', '=', place.forge)
    .where('repository_id', '=', place.repositoryId)
    .where('number', '=', place.number)
    .execute();
  const own = found.find(({ number }) => number === place.number);
  return {
    own: own === undefined ? null : ownOf(own),
    others: found
      .filter(({ number }) => number !== place.number)
      .map(({ number, row, holds_turn }) => ({
        number,
        holdsTurn: holds_turn === 1,
        waits: waitsForTurn(row),
      })),
    told: told.map(({ agent, act_key }) => `${agent} ${act_key}`).sort(),
  };
}

function ownOf(row: { facts: string; has_ci: number; holds_turn: number; unsure_since: number | null }) {
  const { headSha, baseSha } = JSON.parse(row.facts) as PullFacts;
  return {
    headSha,
    baseSha,
    hasCi: row.has_ci === 1,
    holdsTurn: row.holds_turn === 1,
    unsureSince: row.unsure_since === null ? null : Number(row.unsure_since),
  };
}

/** What of a decision is kept. */
interface Kept {
  facts: PullFacts;
  decision: { row: string; act: PullAct };
  hasCi: boolean;
  holdsTurn: boolean;
  unsureSince: number | null;
}

export async function keepDecision(
  tx: Rows,
  place: PullPlace & { repository: RepositoryRef; now: number },
  { facts, decision, hasCi, holdsTurn, unsureSince }: Kept,
): Promise<void> {
  const state = {
    repository_name: place.repository.fullName,
    row: decision.row,
    act: decision.act,
    facts: JSON.stringify(facts),
    has_ci: hasCi ? 1 : 0,
    holds_turn: holdsTurn ? 1 : 0,
    unsure_since: unsureSince,
    is_open: facts.state === 'open' ? 1 : 0,
    decided_at: place.now,
  };
  await tx
    .insertInto('pull_decisions')
    .values({ forge: place.forge, repository_id: place.repositoryId, number: place.number, ...state })
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number']).doUpdateSet(state))
    .execute();
}

/** It was closed or merged: nothing waits for it any more. */
export async function endDecision(tx: Rows, place: PullPlace, now: number): Promise<void> {
  await tx
    .updateTable('pull_decisions')
    .set({ row: 'over', act: 'nothing', holds_turn: 0, is_open: 0, decided_at: now })
    .where('forge', '=', place.forge)
    .where('repository_id', '=', place.repositoryId)
    .where('number', '=', place.number)
    .execute();
}

/** Numbers of the other open pull requests of a repository, lowest first: that is the order of their merges. */
export async function otherOpenPulls(rows: Rows, place: PullPlace): Promise<number[]> {
  const found = await rows
    .selectFrom('pull_decisions')
    .select('number')
    .where('forge', '=', place.forge)
    .where('repository_id', '=', place.repositoryId)
    .where('number', '!=', place.number)
    .where('is_open', '=', 1)
    .orderBy('number')
    .execute();
  return found.map(({ number }) => number);
}

export async function noteTold(
  tx: Rows,
  place: PullPlace,
  told: { agent: string; actKey: string; deliveryId: string; now: number },
): Promise<void> {
  await tx
    .insertInto('pull_acts')
    .values({
      forge: place.forge,
      repository_id: place.repositoryId,
      number: place.number,
      agent: told.agent,
      act_key: told.actKey,
      delivery_id: told.deliveryId,
      told_at: told.now,
    })
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number', 'agent', 'act_key']).doNothing())
    .execute();
}
