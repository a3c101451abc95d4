/**
 * Results of CI as the events that webhooks would have told: Forgejo tells of runs, Gitea of commit statuses (and of runs,
 * which it shows to owners only). Where a forge has no runs for a commit, its statuses are all that there is.
 */
import { z } from 'zod';
import type { CiQuestion, Happened } from '../changes.ts';
import { offeredOr } from '../not-offered.ts';
import { ciResult, isCancellation } from './answers.ts';
import { parseActionRun, parseStatus } from './ci.ts';
import type { ForgeHttp } from './http.ts';
import type { Handler } from './outcomes.ts';
import { listAll } from './pages.ts';
import { actionRunPayload, instant } from './payloads.ts';

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** A run as Forgejo lists it, which is as its webhook has it. Gitea's has no `commit_sha`. */
const run = z.looseObject({ id: z.number().int(), commit_sha: word, status: word });
const status = z.object({
  id: z.number().int(),
  status: word,
  context: word,
  description: word,
  target_url: word,
  updated_at: instant,
  creator: z.object({ id: z.number().int(), login: z.string() }).nullish(),
});
type Status = z.output<typeof status>;

export async function ciResults(http: ForgeHttp, question: CiQuestion) {
  const { repository, sha } = question;
  const query = { head_sha: sha };
  const list = { repository, path: '/actions/runs', query, member: run, field: 'workflow_runs' };
  const runs = (await offeredOr([], () => listAll(http, list))).filter((one) => one.commit_sha === sha);
  if (runs.length > 0) {
    const isOver = runs.every(
      (one) => !['waiting', 'running', 'blocked', 'unknown', ''].includes(one.status),
    );
    return { kind: 'results' as const, happened: runs.flatMap((one) => runTwin(question, one)), isOver };
  }
  const path = `/commits/${encodeURIComponent(sha)}/statuses`;
  const statuses = await offeredOr([], () => listAll(http, { repository, path, member: status }));
  const isOver = statuses.length > 0 && newest(statuses).every((one) => ciResult(one.status) !== 'pending');
  return { kind: 'results' as const, happened: statuses.flatMap((one) => statusTwin(question, one)), isOver };
}

/** Of each context. */
function newest(statuses: readonly Status[]): Status[] {
  return [...new Map([...statuses].sort((a, b) => a.id - b.id).map((one) => [one.context, one])).values()];
}

function runTwin(question: CiQuestion, one: z.output<typeof run>): Happened[] {
  if (one.status !== 'success' && one.status !== 'failure') return [];
  if (!actionRunPayload.safeParse({ run: one }).success) return [];
  return made(question, { parse: parseActionRun, type: `action_run_${one.status}`, body: { run: one } });
}

function statusTwin(question: CiQuestion, one: Status): Happened[] {
  if (isCancellation(one) || !one.creator) return [];
  const { id, fullName } = question.repository;
  const body = {
    ...one,
    sha: question.sha,
    state: one.status,
    repository: { id: Number(id), full_name: fullName },
    sender: one.creator,
  };
  return made(question, { parse: parseStatus, type: 'status', body });
}

function made(
  { forge }: CiQuestion,
  { parse, type, body }: { parse: Handler; type: string; body: object },
): Happened[] {
  const headers = { kind: 'reconciled', deliveryId: '', event: type, eventType: type };
  const outcome = parse({ forge, headers }, body);
  return outcome.kind === 'event' ? [{ event: outcome.event, likenesses: [] }] : [];
}
