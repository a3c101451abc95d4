/** What happens in a scenario: people act on the forge, and now and then something outside fails or is waited for. */
import { execFile as execFileWithCallback } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { git } from './git-remotes.ts';
import type { Stage } from './service.ts';
import { OWNER, REPOSITORY, tokenOf } from './service-config.ts';

const execFile = promisify(execFileWithCallback);

const by = z.string().default(OWNER);
const on = z.int();
const where = { by, repository: z.string().default(REPOSITORY) };

const act = z.discriminatedUnion('does', [
  z.strictObject({
    does: z.literal('open-issue'),
    ...where,
    title: z.string(),
    body: z.string().default(''),
    assignees: z.array(z.string()).default([]),
  }),
  z.strictObject({ does: z.literal('assign'), ...where, on, logins: z.array(z.string()) }),
  /** `as` names the comment for a later `delete-comment` */
  z.strictObject({ does: z.literal('comment'), ...where, on, body: z.string(), as: z.string().optional() }),
  /** `times` comments at once, each with its number after the body */
  z.strictObject({ does: z.literal('burst'), ...where, on, body: z.string(), times: z.int() }),
  z.strictObject({ does: z.literal('delete-comment'), ...where, comment: z.string() }),
  z.strictObject({ does: z.literal('label'), ...where, on, names: z.array(z.string()) }),
  z.strictObject({ does: z.literal('merge'), ...where, on }),
  z.strictObject({ does: z.literal('close'), ...where, on }),
  z.strictObject({ does: z.literal('request-review'), ...where, on, logins: z.array(z.string()) }),
  /** commits one file on top of the branch and pushes it with the account's own token */
  z.strictObject({
    does: z.literal('push'),
    ...where,
    branch: z.string(),
    file: z.string(),
    content: z.string(),
  }),
  /** an Actions run of the pull request, on its head or on the commit before it */
  z.strictObject({
    does: z.literal('run-ci'),
    ...where,
    pull: z.int(),
    at: z.enum(['head', 'parent']),
    status: z.enum(['success', 'failure']),
  }),
  /** the same bytes again, under a new delivery id */
  z.strictObject({ does: z.literal('redeliver'), ...where, last: z.string() }),
  z.strictObject({ does: z.literal('hook'), ...where }),
  z.strictObject({ does: z.literal('make-repository'), name: z.string() }),
  z.strictObject({ does: z.literal('stop-forge') }),
  z.strictObject({ does: z.literal('start-forge') }),
  z.strictObject({ does: z.literal('release'), hold: z.string() }),
  /** what waits for the end of a limit or an outage may go on at once */
  z.strictObject({ does: z.literal('end-parks') }),
  z.strictObject({ does: z.literal('wait-until-settled') }),
  z.strictObject({ does: z.literal('wait-until-reached'), hold: z.string() }),
  z.strictObject({ does: z.literal('wait-until-parked'), dispatch: z.int() }),
  /** a delivery with this forge event type was decided: the n-th of them */
  z.strictObject({ does: z.literal('wait-until-decided'), event: z.string(), times: z.int().default(1) }),
]);
type Act = z.output<typeof act>;

const play = z.strictObject({
  /** keys of the one forge in claude-hooks.yaml, beside or instead of the usual ones */
  forge: z.record(z.string(), z.unknown()).default({}),
  /** keys of claude-hooks.yaml instead of the usual ones */
  config: z.record(z.string(), z.unknown()).default({}),
  /** files beside claude-hooks.yaml, by path */
  files: z.record(z.string(), z.string()).default({}),
  acts: z.array(act).min(1),
});
export type Play = z.output<typeof play>;

/** Throws on a key nobody knows: an act that is silently left out would prove nothing. */
export function readPlay(file: string): Play {
  return play.parse(parse(readFileSync(file, 'utf8')));
}

export async function perform(stage: Stage, acts: readonly Act[]): Promise<void> {
  const comments = new Map<string, number>();
  for (const one of acts) {
    if ('by' in one) await actOnForge(stage, one, comments);
    else await actOnStage(stage, one);
  }
}

type ForgeAct = Extract<Act, { by: string }>;

async function actOnForge(stage: Stage, one: ForgeAct, comments: Map<string, number>): Promise<void> {
  const user = stage.forge.as(one.by);
  const repo = one.repository;
  switch (one.does) {
    case 'open-issue': {
      const { title, body, assignees } = one;
      await user.createIssue(repo, { title, body, assignees });
      return;
    }
    case 'assign':
      return await user.assign(repo, one.on, one.logins);
    case 'comment': {
      const { id } = await user.comment(repo, one.on, one.body);
      if (one.as !== undefined) comments.set(one.as, id);
      return;
    }
    case 'burst': {
      const all = Array.from({ length: one.times }, (_, i) => `${one.body} ${i + 1}.`);
      await Promise.all(all.map((body) => user.comment(repo, one.on, body)));
      return;
    }
    case 'delete-comment':
      return await user.deleteComment(repo, comments.get(one.comment)!);
    case 'label':
      return await user.label(repo, one.on, one.names);
    case 'merge':
      return await user.merge(repo, one.on, { style: 'merge' });
    case 'close':
      return await user.close(repo, one.on);
    case 'request-review':
      return await user.requestReview(repo, one.on, one.logins);
    case 'push':
      return await pushAsPerson(stage, one);
    case 'run-ci': {
      const sha = commitOf(stage, one);
      await user.actionRun(repo, { sha, status: one.status, workflow: 'ci.yaml', pull: one.pull });
      return;
    }
    case 'redeliver': {
      const last = stage.forge.deliveries.findLast((d) => d.eventType === one.last)!;
      await user.redeliver(last.id);
      return;
    }
    case 'hook':
      return await stage.hook(repo);
  }
}

async function actOnStage(stage: Stage, one: Exclude<Act, ForgeAct>): Promise<void> {
  switch (one.does) {
    case 'make-repository':
      return await stage.addRepository(one.name);
    case 'stop-forge':
      return await stage.stopForge();
    case 'start-forge':
      return await stage.startForge();
    case 'release':
      return stage.model.release(one.hold);
    case 'end-parks':
      return await stage.endParks();
    case 'wait-until-settled':
      return await stage.settled();
    case 'wait-until-reached':
      return await stage.reached(one.hold);
    case 'wait-until-parked':
      await stage.untilDispatch(one.dispatch, 'parked');
      return;
    case 'wait-until-decided':
      return await decided(stage, one);
  }
}

async function decided(stage: Stage, wanted: { event: string; times: number }): Promise<void> {
  await stage.until(`${wanted.times} × ${wanted.event} is decided`, async () => {
    const rows = await stage.rows
      .selectFrom('deliveries')
      .select('id')
      .where('event_name', '=', wanted.event)
      .where('state', '!=', 'received')
      .execute();
    return rows.length >= wanted.times;
  });
}

async function pushAsPerson(stage: Stage, one: Extract<Act, { does: 'push' }>): Promise<void> {
  const folder = mkdtempSync(join(stage.folder, 'person-'));
  const url = `${stage.forge.url}/${one.repository}.git`.replace('//', `//${one.by}:${tokenOf(one.by)}@`);
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  // Not the synchronous helper: the forge that must answer lives in this process.
  const run = (...args: string[]) => execFile('git', args, { cwd: folder, env });
  const identity = ['-c', `user.name=${one.by}`, '-c', `user.email=${one.by}@example.test`];
  await run('clone', '--quiet', '--branch', one.branch, url, 'clone');
  writeFileSync(join(folder, 'clone', one.file), one.content);
  await run('-C', 'clone', 'add', one.file);
  await run('-C', 'clone', ...identity, 'commit', '--quiet', '-m', `${one.by} writes ${one.file}`);
  await run('-C', 'clone', 'push', '--quiet');
  rmSync(folder, { recursive: true });
}

function commitOf(stage: Stage, one: Extract<Act, { does: 'run-ci' }>): string {
  const pull = stage.forge.state.items.find((i) => i.number === one.pull && i.pull !== null)!.pull!;
  const rev = one.at === 'head' ? pull.headSha : `${pull.headSha}^`;
  return git(stage.repositoryFolder(one.repository), 'rev-parse', rev);
}
