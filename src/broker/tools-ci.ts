/** Reading what CI did. How much of it there is depends on the forge's version; what is missing is said. */
import { z } from 'zod';
import type { CiRun } from '../forge/forge.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { Vouching } from '../voices.ts';
import { ciLine, jobName, OTHERS_WROTE, quotedLog } from './texts.ts';
import { type Broker, itemNumber, readTool, type Tool } from './tool.ts';

const MOST_RUNS = 10;
/** Runs whose jobs are listed too: one more request each. */
const MOST_WITH_JOBS = 5;
const LONGEST_LOG = 100_000;

export const CI_TOOLS: readonly Tool[] = [
  readTool({
    name: 'list_ci_runs',
    description: `CI runs of a pull request's head, or the newest of the repository without a number; jobs with their ids for those that did not succeed.`,
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
    async read({ job_id: jobId, max_bytes: maxBytes }, { scope, deps }) {
      const log = await deps.forge.readLog(scope.repository, jobId, maxBytes);
      if (log.kind === 'not-offered') return log.why;
      const begin = log.cut ? `The last ${maxBytes} bytes:\n` : '';
      return `${OTHERS_WROTE}\n${begin}${LOG_LABEL}\n${quotedLog(log.text)}`;
    },
  }),
];

/** Nobody says whose code it was: a test of a stranger's branch prints what the stranger likes. */
const LOG_LABEL = 'log, printed by whatever code ran (not trusted):';

async function listRuns(number: number | null, broker: Broker): Promise<string> {
  const { forge } = broker.deps;
  const { repository } = broker.scope;
  const item = number === null ? null : await forge.getItem(repository, number);
  if (item !== null && item.pull === null) {
    return `#${item.number} is an issue and has no CI. Give the number of a pull request, or none.`;
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
  if (listed.kind === 'not-offered') return [...state, listed.why].join('\n');
  if (listed.runs.length === 0) return [...state, 'There are no runs.'].join('\n');
  const telling = listed.runs.filter((run) => run.status !== 'success').slice(0, MOST_WITH_JOBS);
  const lines: string[] = [];
  for (const run of listed.runs) {
    lines.push(runLine(run, owner), ...(telling.includes(run) ? await jobLines(run, owner, broker) : []));
  }
  return [OTHERS_WROTE, ...state, ...lines].join('\n');
}

/** Whose pull request the runs are of. */
interface Owner {
  author: ForgeUser | null;
  vouching: Vouching;
}

function runLine(run: CiRun, { author, vouching }: Owner): string {
  return `run ${run.id} ${jobName(run.workflow, author, vouching)}: ${run.status} at ${run.headSha.slice(0, 12)}, ${run.htmlUrl}`;
}

async function jobLines(run: CiRun, { author, vouching }: Owner, { scope, deps }: Broker): Promise<string[]> {
  const jobs = await deps.forge.listJobs(scope.repository, run.id);
  if (jobs.kind === 'not-offered') return [`  ${jobs.why}`];
  return jobs.jobs.map((job) => `  job ${job.id} ${jobName(job.name, author, vouching)}: ${job.status}`);
}
