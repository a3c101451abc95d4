/** Reading what CI did. How much of it there is depends on the forge's version; what is missing is said. */
import { z } from 'zod';
import type { CiRun, ForgeCi, Item } from '../forges/forge.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { Vouching } from '../voices.ts';
import { ciLine, jobName, OTHERS_WROTE, quotedLog } from './quoted-texts.ts';
import type { Spoken } from './scope.ts';
import { filesOf } from './spoken.ts';
import { type Broker, itemNumber, readTool, type Shown, type Tool } from './tool.ts';

const MOST_RUNS = 10;
/** Runs whose jobs are listed too: one more request each. */
const MOST_WITH_JOBS = 5;
const LONGEST_LOG = 100_000;

export const CI_TOOLS: readonly Tool[] = [
  readTool({
    name: 'list_ci_runs',
    description: `CI runs of a pull request's head; jobs with their ids for those that did not succeed. Without a number the newest of the repository: those can be anybody's, so you may only read and comment afterwards.`,
    input: { number: itemNumber.optional() },
    read: async ({ number }, broker) => await listRuns(number ?? null, broker),
  }),
  readTool({
    name: 'read_ci_log',
    description: 'The end of the log of one CI job.',
    input: {
      job_id: z.coerce.number().int().positive(),
      max_bytes: z.coerce.number().int().min(200).max(LONGEST_LOG).default(20_000),
    },
    async read({ job_id: jobId, max_bytes: maxBytes }, broker) {
      const { scope, deps } = broker;
      const log = await deps.forge.readLog(scope.repository, jobId, maxBytes);
      if (log.kind === 'not-offered') return { text: log.why, words: [] };
      const begin = log.cut ? `The last ${maxBytes} bytes:\n` : '';
      return {
        text: `${OTHERS_WROTE}\n${begin}${LOG_LABEL}\n${quotedLog(log.text)}`,
        words: (await jobWords(jobId, broker)).map((one) => ({ ...one, text: log.text })),
      };
    },
  }),
];

/** For a log of unknown author: a test on a stranger's branch prints what the stranger likes. */
const LOG_LABEL = 'log, printed by whatever code ran (not trusted):';

async function listRuns(number: number | null, broker: Broker): Promise<Shown> {
  const { forge } = broker.deps;
  const { repository } = broker.scope;
  const item = number === null ? null : await forge.getItem(repository, number);
  if (item !== null && item.pull === null) {
    const text = `#${item.number} is an issue and has no CI. Give the number of a pull request, or none.`;
    return { text, words: [] };
  }
  const headSha = item?.pull?.headSha ?? null;
  const owner: Owner = {
    author: item?.author ?? null,
    vouching: await broker.believed(item === null ? [] : [item.author]),
  };
  const state =
    item === null || headSha === null
      ? []
      : [ciLine(await forge.ciState(repository, headSha), item.author, owner.vouching)];
  const listed = await forge.listRuns(repository, { headSha, limit: MOST_RUNS });
  const names = item === null ? [] : filesOf(item);
  if (listed.kind === 'not-offered') return { text: [...state, listed.why].join('\n'), words: names };
  if (listed.runs.length === 0) return { text: [...state, 'There are no runs.'].join('\n'), words: names };
  const telling = listed.runs.filter((run) => run.status !== 'success').slice(0, MOST_WITH_JOBS);
  const lines: string[] = [];
  for (const run of listed.runs) {
    const jobs = telling.includes(run) ? await jobsOf(run, item, broker) : null;
    lines.push(runLine(run, owner), ...(jobs === null ? [] : jobLines(jobs, owner)));
  }
  const text = [OTHERS_WROTE, ...state, ...lines].join('\n');
  return { text, words: item === null ? [{ ...ANYBODY, text }] : names };
}

/** A run of the repository can be of anybody's commit, and the forge's list does not say whose. */
const ANYBODY = {
  author: { login: 'whoever made the commits that CI ran', id: null },
  number: null,
  place: 'CI runs of the repository',
} as const;

/**
 * Whose words a log is. A job prints what is in its commit; one that began with an issue or a comment can print that,
 * too. So a log is the commit's author's where the job is of a pull request's head and was begun by its commits, and
 * anybody's where that cannot be told.
 */
async function jobWords(jobId: number, broker: Broker): Promise<readonly Spoken[]> {
  const known = broker.jobs.get(jobId);
  if (known !== undefined) return known;
  const { scope, deps } = broker;
  for (const number of await scope.items()) {
    const item = await deps.forge.getItem(scope.repository, number);
    if (item.pull === null) continue;
    const { headSha } = item.pull;
    const listed = await deps.forge.listRuns(scope.repository, { headSha, limit: MOST_RUNS });
    if (listed.kind === 'not-offered') break;
    for (const run of listed.runs) await jobsOf(run, item, broker);
    const found = broker.jobs.get(jobId);
    if (found !== undefined) return found;
  }
  // guard: marks: logs of anybody’s jobs
  return [{ ...ANYBODY, place: `log of CI job ${jobId}`, text: '' }];
}

/** Events that start a run whose log can hold only what is in its commits. */
const BY_COMMITS = ['push', 'pull_request', 'pull_request_sync'];

/** `tasks`: the forge keeps the number of the run from this account, and without it there are no ids of jobs. */
type Jobs = Awaited<ReturnType<ForgeCi['listJobs']>> | { kind: 'tasks'; tasks: CiRun['tasks'] };

/** Notes whose words the logs of the jobs are. */
async function jobsOf(run: CiRun, item: Item | null, { scope, deps, jobs: known }: Broker): Promise<Jobs> {
  if (run.id === null) return { kind: 'tasks', tasks: run.tasks };
  const jobs = await deps.forge.listJobs(scope.repository, run.id);
  if (jobs.kind === 'not-offered') return jobs;
  const words = item !== null && BY_COMMITS.includes(run.event) ? filesOf(item) : [{ ...ANYBODY, text: '' }];
  for (const { id } of jobs.jobs) {
    const place = `log of CI job ${id}`;
    known.set(
      id,
      words.map((one) => ({ ...one, place })),
    );
  }
  return jobs;
}

/** Whose pull request the runs are of. */
interface Owner {
  author: ForgeUser | null;
  vouching: Vouching;
}

function runLine(run: CiRun, { author, vouching }: Owner): string {
  const name = run.id === null ? 'run' : `run ${run.id}`;
  return `${name} ${jobName(run.workflow, author, vouching)}: ${run.status} at ${run.headSha.slice(0, 12)}, ${run.htmlUrl}`;
}

const NO_IDS =
  '  The forge does not tell this account the ids of these jobs, so their logs are not to be had here.';

function jobLines(jobs: Jobs, { author, vouching }: Owner): string[] {
  if (jobs.kind === 'tasks') {
    const lines = jobs.tasks.map(({ name, status }) => `  job ${jobName(name, author, vouching)}: ${status}`);
    return [...lines, NO_IDS];
  }
  if (jobs.kind === 'not-offered') return [`  ${jobs.why}`];
  return jobs.jobs.map((job) => `  job ${job.id} ${jobName(job.name, author, vouching)}: ${job.status}`);
}
