/** Runs, jobs and logs of Actions. Each was added in another version of the forges, so each may be missing. */
import { z } from 'zod';
import type { CiRun, ForgeCi } from '../forge.ts';
import { type NotOffered, offeredOr, whyNotOffered } from '../not-offered.ts';
import { isRunOf, runAnswer } from './answers.ts';
import type { ForgeHttp } from './http.ts';
import { runsOfTasks } from './tasks.ts';

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
export const listedRun = runAnswer.extend({ title: word, display_title: word, html_url: word });
const runsAnswer = z.object({ workflow_runs: z.array(listedRun).nullish() });
export const job = z.object({ id: z.number().int(), name: word, status: word, conclusion: word });
/** Gitea wraps the list. */
const jobsAnswer = z.union([z.array(job), z.object({ jobs: z.array(job).nullish() })]).nullable();

export function createCi(http: ForgeHttp): Omit<ForgeCi, 'ciState'> {
  return {
    async listRuns(repository, { headSha, limit }) {
      const search = new URLSearchParams({
        limit: String(Math.min(limit, 50)),
        ...(headSha === null ? {} : { head_sha: headSha }),
      });
      return await offered(LISTS, async () => {
        const call = { method: 'GET', repository, path: `/actions/runs?${search}` } as const;
        const runs = await offeredOr(null, async () => (await http.sendTo(call, runsAnswer)).value);
        if (runs === null) {
          const tasks = await runsOfTasks(http, repository, { headSha, limit });
          return { kind: 'runs', runs: tasks, limited: LIMITED };
        }
        const listed = runs.workflow_runs ?? [];
        const wanted = headSha === null ? listed : listed.filter(isRunOf(headSha));
        return { kind: 'runs', runs: wanted.sort((a, b) => b.id - a.id).map(toRun), limited: null };
      });
    },
    async listJobs(repository, runId) {
      return await offered(JOBS, async () => {
        const call = { method: 'GET', repository, path: `/actions/runs/${runId}/jobs` } as const;
        const { value } = await http.sendTo(call, jobsAnswer);
        const jobs = Array.isArray(value) ? value : (value?.jobs ?? []);
        return {
          kind: 'jobs',
          jobs: jobs.map(({ id, name, status, conclusion }) => ({ id, name, status: conclusion || status })),
        };
      });
    },
    async readLog(repository, jobId, maxBytes) {
      return await offered(LOGS, async () => {
        const path = `/actions/jobs/${jobId}/logs`;
        const answer = await http.tellTo({ method: 'GET', repository, path, tail: maxBytes });
        const start = Number(/^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? 0);
        const bytes = Buffer.from(answer.text);
        const text = bytes.subarray(Math.max(0, bytes.length - maxBytes)).toString();
        return { kind: 'log', text, cut: answer.isCut || start > 0 || bytes.length > maxBytes };
      });
    },
  };
}

const LISTS = 'a list of runs (Forgejo 12 or Gitea 1.25 have one)';
const LIMITED =
  'This forge has no list of CI runs, or shows it to the owner of the repository only (Gitea 1.25 and newer). Runs are told from the list of tasks, and CI from commit statuses; agents may lack the ids by which logs are read.';
const JOBS = 'the jobs of a run (Forgejo 16 or Gitea 1.25 have them)';
const LOGS = 'logs of jobs (Forgejo 16 or Gitea 1.24 have them)';

async function offered<T>(what: string, ask: () => Promise<T>): Promise<T | NotOffered> {
  try {
    return await ask();
  } catch (error) {
    const reason = whyNotOffered(error);
    if (reason === null) throw error;
    if (reason === 'not-to-us') {
      const why = `This forge does not show this account ${what}. Go by the commit statuses of the pull request, and read the page in a browser.`;
      // guard: doctor and smoke: hidden CI
      return { kind: 'not-offered', why, isHidden: true };
    }
    const why = `This forge does not offer ${what}, Actions are off in the repository, or there is no such id. Check the id with list_ci_runs; else update the forge or read the page in a browser.`;
    return { kind: 'not-offered', why };
  }
}

function toRun(run: z.output<typeof listedRun>): CiRun {
  return {
    id: run.id,
    workflow: run.workflow_id || run.path.split('@')[0]!.split('/').at(-1)!,
    title: run.title || run.display_title,
    status: run.conclusion || run.status,
    headSha: run.commit_sha || run.head_sha,
    event: run.event,
    htmlUrl: run.html_url,
    tasks: [],
  };
}
