/** One notice on the forge: done once, and looked for before it is done again. */

import type { Database } from '../database/database.ts';
import type { NoticeRow } from '../database/feedback-tables.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import { faultPoint } from '../faults.ts';
import { noticeMark } from '../mailbox/notice-marks.ts';
import {
  claimNotice,
  keepClaim,
  type NoticeEnd,
  type NoticeTarget,
  type StatusShown,
  settleNotice,
} from '../mailbox/notices.ts';
import type { OutgoingForge } from '../outcome/outgoing-forge.ts';
import type { ForgeUser } from '../vocabulary.ts';

export interface Shower {
  database: Database;
  now: () => number;
  forge: OutgoingForge;
  /** whether it is the account that the notice is shown by */
  isOurs: (user: ForgeUser) => boolean;
  /** where a commit status leads; '' = nowhere */
  urlOf: (notice: NoticeRow) => string;
}

/** Longer than one call to a forge may take (30 s): nobody else tries it meanwhile. */
const CLAIM_MS = 45_000;

/** Answers what became of it; null where another process was faster. */
export async function showNotice(notice: NoticeRow, shower: Shower): Promise<NoticeEnd | null> {
  const { database, now } = shower;
  const claimed = await claimNotice(database.rows, notice, now() + CLAIM_MS);
  if (claimed === null) return null;
  faultPoint('notice.planned');
  const end = await act(claimed, shower).catch((error: unknown) =>
    error instanceof ClaimLost ? null : endOfError(error, claimed, now()),
  );
  if (end === null) return null;
  faultPoint('notice.performed');
  await settleNotice(database.rows, claimed, end, now());
  faultPoint('notice.recorded');
  return end;
}

/** Another process tries it by now. */
class ClaimLost extends Error {
  override name = 'ClaimLost';
}

async function act(notice: NoticeRow, shower: Shower): Promise<NoticeEnd> {
  const target = JSON.parse(notice.target) as NoticeTarget;
  const repository = { id: notice.repository_id, fullName: notice.repository_name };
  if (notice.kind === 'comment') return await comment(notice, shower);
  if (notice.wanted === null) return { kind: 'gone' };
  if (notice.kind === 'status' && target.on === 'commit') {
    const { state, description } = JSON.parse(notice.wanted) as StatusShown;
    const { sha, context } = target;
    // May be repeated: the newest of a context counts.
    await shower.forge.setStatus(repository, sha, {
      state,
      context,
      description,
      targetUrl: shower.urlOf(notice),
    });
  } else {
    const on = target.on === 'comment' ? { commentId: target.commentId } : { number: notice.number };
    await shower.forge.react(repository, on, notice.wanted);
  }
  return { kind: 'shown', remoteId: null };
}

async function comment(notice: NoticeRow, shower: Shower): Promise<NoticeEnd> {
  const { forge } = shower;
  const repository = { id: notice.repository_id, fullName: notice.repository_name };
  // guard: feedback: looked for before it is posted again
  const isPerhapsThere = notice.attempts > 1;
  const known = notice.remote_id === null ? null : Number(notice.remote_id);
  const id = known ?? (isPerhapsThere ? await find(notice, shower) : null);
  if (!(await keepClaim(shower.database.rows, notice, shower.now() + CLAIM_MS))) throw new ClaimLost();
  if (notice.wanted === null) {
    if (id !== null) await forge.deleteComment(repository, id);
    return { kind: 'gone' };
  }
  const body = `${notice.wanted}\n\n${noticeMark(notice.id)}`;
  if (id === null)
    return { kind: 'shown', remoteId: (await forge.createComment(repository, notice.number, body)).id };
  try {
    await forge.editComment(repository, id, body);
  } catch (error) {
    // A person removed it, and does not want it back.
    if (error instanceof ForgeMissing) return { kind: 'gone' };
    throw error;
  }
  return { kind: 'shown', remoteId: id };
}

async function find(notice: NoticeRow, { forge, isOurs }: Shower): Promise<number | null> {
  const repository = { id: notice.repository_id, fullName: notice.repository_name };
  const mark = noticeMark(notice.id);
  const comments = await forge.listComments(repository, notice.number);
  return comments.find(({ body, author }) => body.includes(mark) && isOurs(author))?.id ?? null;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 300_000;

function endOfError(error: unknown, { attempts }: NoticeRow, now: number): NoticeEnd {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ForgeMissing || error instanceof ForgeRefused) return { kind: 'refused', reason };
  const asked = error instanceof ForgeUnavailable ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempts, 20), LONGEST_WAIT_MS);
  return { kind: 'later', at: now + Math.max(wait, Math.min(asked, LONGEST_WAIT_MS)), reason };
}
