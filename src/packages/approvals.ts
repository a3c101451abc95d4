/** Commits whose lock files a person approved. Rows are only added, and marked as withdrawn. */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';

export interface Approval {
  id: string;
  forge: string;
  /** `owner/name` in lower case */
  repository: string;
  commit: string;
  by: string;
  because: string;
  /** unix ms */
  at: number;
  withdrawn: { at: number; by: string } | null;
}

export interface NewApproval {
  forge: string;
  repository: string;
  commit: string;
  by: string;
  because: string;
  now: number;
}

export async function approveCommit(rows: Rows, o: NewApproval): Promise<string> {
  const id = randomUUID();
  await rows
    .insertInto('package_approvals')
    .values({
      id,
      forge: o.forge,
      repository: o.repository.toLowerCase(),
      commit_sha: o.commit.toLowerCase(),
      approved_by: o.by,
      because: o.because,
      at: o.now,
      withdrawn_at: null,
      withdrawn_by: null,
    })
    .execute();
  return id;
}

/** Whether there was one to withdraw. */
export async function withdrawApproval(
  rows: Rows,
  { id, by, now }: { id: string; by: string; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await rows
    .updateTable('package_approvals')
    .set({ withdrawn_at: now, withdrawn_by: by })
    .where('id', '=', id)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Oldest first. */
export async function listApprovals(rows: Rows): Promise<Approval[]> {
  const found = await rows.selectFrom('package_approvals').selectAll().orderBy('at').orderBy('id').execute();
  return found.map((row) => ({
    id: row.id,
    forge: row.forge,
    repository: row.repository,
    commit: row.commit_sha,
    by: row.approved_by,
    because: row.because,
    at: Number(row.at),
    withdrawn:
      row.withdrawn_at === null ? null : { at: Number(row.withdrawn_at), by: row.withdrawn_by ?? '' },
  }));
}

/** Commits that count now. */
export async function approvedCommits(
  rows: Rows,
  { forge, repository }: { forge: string; repository: string },
): Promise<string[]> {
  const found = await rows
    .selectFrom('package_approvals')
    .select('commit_sha')
    .distinct()
    .where('forge', '=', forge)
    .where('repository', '=', repository.toLowerCase())
    // guard: packages: a withdrawn approval does not count
    .where('withdrawn_at', 'is', null)
    .execute();
  return found.map((row) => row.commit_sha);
}
