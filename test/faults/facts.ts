/**
 * What is there after a case: rows, the forge, the checkout, the transcript, and the requests that reached the model.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedRequest } from '../../rehearsal/model-record.ts';
import type { DispatchRow, EffectRow, MessageRow, SessionRow } from '../../src/database/tables.ts';
import { transcriptPath } from '../../src/sessions/folders.ts';
import { git } from '../support/git-remotes.ts';
import { DEV, REPOSITORY } from '../support/service-config.ts';
import type { Injector } from './injector.ts';

/** One thing a person did, and what it led to. */
export interface Round {
  /** from 1 */
  n: number;
  /** turn requests before it */
  from: number;
  /** index of the first delivery of the forge that it caused */
  firstHook: number;
  /** how often the service died in it */
  deaths: number;
  /** turn requests of this round, known once it is settled */
  requests: RecordedRequest[];
}

export interface Facts {
  /** `event state`, in order of arrival */
  deliveries: string[];
  messages: MessageRow[];
  dispatches: DispatchRow[];
  effects: EffectRow[];
  sessions: SessionRow[];
  /** the transcript of the last session, line by line */
  transcript: string[];
  /** texts of the agent's comments on the issue */
  comments: string[];
  pulls: { number: number; head: string }[];
  branch: { head: string; subjects: string[]; lines: string[] };
  checkout: { head: string; status: string };
  /** `state kind` */
  notices: string[];
  /** of the agent, on the forge */
  reactions: string[];
  /** commits on which the newest status of the agent's work says that it is not over */
  pending: string[];
  /** kinds of what waits for a person */
  asks: string[];
  /** pids of what still runs for a dispatch */
  processes: number[];
}

/** `branch`: the agent's */
export async function collectFacts({ stage }: Injector, branch: string): Promise<Facts> {
  const sessions = await stage.sessions();
  const last = sessions.at(-1)!;
  const deliveries = await stage.rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
  const forgeRepository = stage.repositoryFolder(REPOSITORY);
  const checkout = join(stage.state, 'work/checkouts', last.conversation_id, 'greeter');
  return {
    deliveries: deliveries.map((d) => `${d.event_name} ${d.state}`),
    messages: await stage.messages(),
    dispatches: await stage.dispatches(),
    effects: await stage.effects(),
    sessions,
    transcript: readFileSync(join(last.config_folder, transcriptPath(last.id)), 'utf8').split('\n'),
    ...publishedBy(stage),
    branch: {
      head: git(forgeRepository, 'rev-parse', branch),
      subjects: git(forgeRepository, 'log', '--reverse', '--format=%s', `main..${branch}`).split('\n'),
      lines: git(forgeRepository, 'show', `${branch}:lines.txt`).split('\n'),
    },
    checkout: {
      head: git(checkout, 'rev-parse', 'HEAD'),
      status: git(checkout, 'status', '--porcelain'),
    },
    ...(await shownBy(stage)),
    processes: await stage.processes(),
  };
}

async function shownBy(stage: Injector['stage']) {
  const read = async () => await stage.rows.selectFrom('notices').selectAll().orderBy('seq').execute();
  const notices = await stage.until('all is shown', async () => {
    const found = await read();
    return found.some((one) => one.state === 'planned' || (one.closed === 0 && one.kind === 'status'))
      ? null
      : found;
  });
  const { reactions, statuses, users } = stage.forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  const newest = new Map(statuses.filter((s) => s.creator === dev).map((s) => [s.sha, s.state]));
  const asks = await stage.rows.selectFrom('asks').select('kind').where('state', '=', 'open').execute();
  return {
    notices: notices.map(({ state, kind }) => `${state} ${kind}`),
    reactions: reactions.filter((r) => r.user === dev).map((r) => r.content),
    pending: [...newest].filter(([, state]) => state === 'pending').map(([sha]) => sha),
    asks: asks.map(({ kind }) => kind),
  };
}

function publishedBy({ forge }: Injector['stage']): Pick<Facts, 'comments' | 'pulls'> {
  const { comments, items, users } = forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  return {
    comments: comments.filter((c) => c.author === dev).map((c) => c.body),
    pulls: items.filter((i) => i.pull !== null).map((i) => ({ number: i.number, head: i.pull!.headSha })),
  };
}
