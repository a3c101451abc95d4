/**
 * How far each repository has been looked through, by the forge's own clock. A mark only rises, and only after the events
 * before it are committed. A repository without a row of its own has the forge's.
 */
import type { Rows } from '../database/database.ts';
import type { ReconcilerMarkRow } from '../database/tables.ts';
import type { RepositoryRef } from '../vocabulary.ts';

/** The forge's own row. */
const WHOLE: RepositoryRef = { id: '', fullName: '' };

export interface Mark {
  /** unix ms, as all others here */
  mark: number;
  /** of the list of comments, which is read less often */
  commentsMark: number;
}

export interface Marks {
  /** null = this forge was never looked at */
  forge: Mark | null;
  repositories: ReadonlyMap<string, Mark & { repository: RepositoryRef }>;
}

export async function readMarks(rows: Rows, forge: string): Promise<Marks> {
  const found = await rows
    .selectFrom('reconciler_marks')
    .selectAll()
    .where('forge', '=', forge)
    .orderBy('repository_name')
    .execute();
  const whole = found.find((row) => row.repository_id === WHOLE.id);
  const own = found.filter((row) => row !== whole);
  return {
    forge: whole === undefined ? null : markIn(whole),
    repositories: new Map(
      own.map((row) => [
        row.repository_id,
        { ...markIn(row), repository: { id: row.repository_id, fullName: row.repository_name } },
      ]),
    ),
  };
}

function markIn({ mark, comments_mark }: ReconcilerMarkRow): Mark {
  return { mark: Number(mark), commentsMark: Number(comments_mark) };
}

export interface MarkMove {
  forge: string;
  /** left out: the forge's own */
  repository?: RepositoryRef;
  mark: number;
  commentsMark: number;
  now: number;
}

export async function moveMark(tx: Rows, move: MarkMove): Promise<void> {
  const { forge, repository = WHOLE, mark, commentsMark, now } = move;
  await tx
    .insertInto('reconciler_marks')
    .values({
      forge,
      repository_id: repository.id,
      repository_name: repository.fullName,
      mark,
      comments_mark: commentsMark,
      looked_at: now,
    })
    .onConflict((c) =>
      c.columns(['forge', 'repository_id']).doUpdateSet((e) => ({
        repository_name: repository.fullName,
        // Two processes may look at once: the older look must not move it back.
        mark: e
          .case()
          .when('reconciler_marks.mark', '>', mark)
          .then(e.ref('reconciler_marks.mark'))
          .else(mark)
          .end(),
        comments_mark: e
          .case()
          .when('reconciler_marks.comments_mark', '>', commentsMark)
          .then(e.ref('reconciler_marks.comments_mark'))
          .else(commentsMark)
          .end(),
        looked_at: now,
      })),
    )
    .execute();
}

/** After a look: all repositories but those that could not be read, which keep the mark they had. */
export async function raiseMarks(
  tx: Rows,
  { forge, mark, behind, now }: { forge: string; mark: number; behind: ReadonlySet<string>; now: number },
): Promise<void> {
  let query = tx
    .updateTable('reconciler_marks')
    .set({ mark, looked_at: now })
    .where('forge', '=', forge)
    .where('mark', '<', mark);
  if (behind.size > 0) query = query.where('repository_id', 'not in', [...behind]);
  await query.execute();
}
