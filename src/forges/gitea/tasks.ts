/**
 * The list of runs for accounts that only read. Gitea since 1.25 keeps `/actions/runs` from everybody but the owner, administrators
 * of the repository included; the list of tasks, the jobs of a run and their logs answer readers. A task is a job that
 * has begun; it names its run by address alone.
 */
import { z } from 'zod';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { CiRun } from '../forge.ts';
import { offeredOr } from '../not-offered.ts';
import { type CiResult, ciResult } from './answers.ts';
import type { ForgeHttp } from './http.ts';

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const task = z.object({
  id: z.number().int(),
  name: word,
  head_sha: word,
  event: word,
  display_title: word,
  status: word,
  workflow_id: word,
  url: word,
});
type Task = z.output<typeof task>;
const jobOfRun = z.object({ id: z.number().int(), html_url: word });
const tasksAnswer = z.object({ workflow_runs: z.array(task).nullish() });
const jobsAnswer = z.union([z.array(jobOfRun), z.object({ jobs: z.array(jobOfRun).nullish() })]).nullable();

/** The newest tasks that are looked through for one commit. */
const NEWEST = 50;
/** Runs that did not succeed whose number is looked for: one request each. */
const MOST_NUMBERED = 5;

export async function runsOfTasks(
  http: ForgeHttp,
  repository: RepositoryRef,
  { headSha, limit }: { headSha: string | null; limit: number },
): Promise<CiRun[]> {
  const call = { method: 'GET', repository, path: `/actions/tasks?limit=${NEWEST}` } as const;
  const tasks = (await http.sendTo(call, tasksAnswer)).value.workflow_runs ?? [];
  const byRun = new Map<string, Task[]>();
  for (const one of tasks.toSorted((a, b) => b.id - a.id)) {
    if (headSha !== null && one.head_sha !== headSha) continue;
    const key = JSON.stringify([one.url, one.workflow_id]);
    byRun.set(key, [...(byRun.get(key) ?? []), one]);
  }
  const runs = [...byRun.values()].slice(0, limit).map(toRun);
  const telling = runs.filter((run) => run.status !== 'success').slice(0, MOST_NUMBERED);
  for (const run of telling) run.id = await numberOf(http, repository, run);
  return runs;
}

function toRun(tasks: Task[]): CiRun {
  const newest = tasks[0]!;
  return {
    id: null,
    workflow: newest.workflow_id,
    title: newest.display_title,
    status: worstOf(tasks),
    headSha: newest.head_sha,
    event: newest.event,
    htmlUrl: newest.url,
    tasks: tasks.map(({ name, status }) => ({ name, status })),
  };
}

const WORST_FIRST: readonly CiResult[] = ['failure', 'pending', 'success'];

/** In the forge's word: that of a task with the worst result. */
function worstOf(tasks: readonly Task[]): string {
  for (const result of WORST_FIRST) {
    const found = tasks.find(({ status }) => ciResult(status) === result);
    if (found !== undefined) return found.status;
  }
  return '';
}

/**
 * The number in the address of a run is its id on some versions, and counts the repository's runs on others. Only jobs
 * whose own address stands below the run's prove that it is the id.
 */
async function numberOf(
  http: ForgeHttp,
  repository: RepositoryRef,
  { htmlUrl }: CiRun,
): Promise<number | null> {
  const number = Number(/\/actions\/runs\/(\d{1,15})$/.exec(htmlUrl)?.[1] ?? Number.NaN);
  if (Number.isNaN(number)) return null;
  const call = { method: 'GET', repository, path: `/actions/runs/${number}/jobs` } as const;
  const answer = await offeredOr(null, async () => (await http.sendTo(call, jobsAnswer)).value);
  const jobs = Array.isArray(answer) ? answer : (answer?.jobs ?? []);
  // guard: world trust: the number of a run is proved
  return jobs.length > 0 && jobs.every((job) => job.html_url.startsWith(`${htmlUrl}/`)) ? number : null;
}
