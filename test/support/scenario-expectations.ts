/** What must be true after a scenario: rows, the forge, and what reached the model. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { RecordedRequest } from '../../rehearsal/model-record.ts';
import type { StoredDecision } from '../../src/router/routing.ts';
import { git } from './git-remotes.ts';
import type { Stage } from './service.ts';
import { REPOSITORY } from './service-config.ts';

const turn = z.strictObject({
  scene: z.string().nullable(),
  /** messages of history before the prompt */
  history: z.int(),
  begins: z.string().optional(),
  contains: z.array(z.string()).default([]),
  lacks: z.array(z.string()).default([]),
  /** texts that are in the whole request exactly once: prompts are not doubled */
  once: z.array(z.string()).default([]),
});

const facts = {
  /** in order of arrival: `event state[: beginning of the reason]` */
  deliveries: z.array(z.string()),
  /** of one event's delivery (the last of its name), what a flow answered: `event flow: verdict` */
  considered: z.array(z.string()).default([]),
  /** in order: `agent skill+skill state continuity session-number[: reason]` */
  dispatches: z.array(z.string()),
  /** how many messages ended in each state */
  messages: z.record(z.string(), z.int()),
  branches: z
    .record(
      z.string(),
      z.strictObject({ commits: z.array(z.string()), files: z.record(z.string(), z.string()) }),
    )
    .default({}),
  /** by number: author, branches, title, and the first line of the text */
  pulls: z.record(z.string(), z.string()).default({}),
  /** by item: `login: beginning of the text`, all of them in order */
  comments: z.record(z.string(), z.array(z.string())).default({}),
  reviews: z.record(z.string(), z.array(z.string())).default({}),
  /** the first request of every prompt, in order */
  turns: z.array(turn),
};
const expectation = z.strictObject(facts);
const expectations = expectation.extend({
  /** what is told otherwise on Gitea, instead of the above */
  gitea: z.record(z.string(), z.unknown()).default({}),
});
export type Expectation = z.output<typeof expectation>;

/** Throws on a key nobody knows: an expectation that is silently left out would prove nothing. */
export function readExpectation(file: string, kind: 'forgejo' | 'gitea'): Expectation {
  const { gitea, ...common } = expectations.parse(parse(readFileSync(file, 'utf8')));
  return kind === 'gitea' ? expectation.parse({ ...common, ...gitea }) : common;
}

export async function expectRows(stage: Stage, wanted: Expectation): Promise<void> {
  expect.soft(await deliveryLines(stage)).toEqual(wanted.deliveries.map(beginning));
  expect.soft(await consideredLines(stage)).toEqual(expect.arrayContaining(wanted.considered));
  expect.soft(await dispatchLines(stage)).toEqual(wanted.dispatches.map(beginning));
  const states = (await stage.messages()).map((m) => m.state as string);
  expect.soft(countsOf(states)).toEqual(wanted.messages);
}

/** A list entry may leave out how the line ends; the number of entries and their order may not differ. */
function beginning(text: string): unknown {
  return expect.stringMatching(new RegExp(`^${RegExp.escape(text)}`));
}

async function deliveryLines(stage: Stage): Promise<string[]> {
  const rows = await stage.rows
    .selectFrom('deliveries')
    .selectAll()
    // What the service asks itself is no delivery of the forge.
    .where('source', '!=', 'look')
    .orderBy('seq')
    .execute();
  return rows.map((row) => {
    const headers = JSON.parse(row.headers) as Record<string, string>;
    const name = row.event_name ?? headers['x-forgejo-event-type'] ?? headers['x-gitea-event-type'];
    return `${name} ${row.state}${row.reason === null ? '' : `: ${row.reason}`}`;
  });
}

async function consideredLines(stage: Stage): Promise<string[]> {
  const rows = await stage.rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
  const last = new Map(rows.filter((r) => r.decision !== null).map((r) => [r.event_name, r.decision!]));
  return [...last].flatMap(([event, decision]) =>
    (JSON.parse(decision) as StoredDecision).considered.map((c) => `${event} ${c.flow}: ${c.verdict}`),
  );
}

async function dispatchLines(stage: Stage): Promise<string[]> {
  const messages = await stage.messages();
  const rows = await stage.dispatches();
  const sessions = [...new Set(rows.map((r) => r.session_id).filter((id) => id !== null))];
  return rows.map((row) => {
    const skills = new Set(messages.filter((m) => m.dispatch_id === row.id).map((m) => m.skill));
    const session = row.session_id === null ? '-' : sessions.indexOf(row.session_id) + 1;
    const reason = row.reason === null ? '' : `: ${row.reason}`;
    return `${row.agent} ${[...skills].join('+') || '-'} ${row.state} ${row.continuity ?? '-'} ${session}${reason}`;
  });
}

function countsOf(values: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

export function expectForge(stage: Stage, wanted: Expectation): void {
  for (const [branch, { commits, files }] of Object.entries(wanted.branches)) {
    const folder = stage.repositoryFolder(REPOSITORY);
    const subjects = git(folder, 'log', '--reverse', '--format=%an: %s', `main..${branch}`);
    expect.soft(subjects.split('\n')).toEqual(commits);
    for (const [file, content] of Object.entries(files)) {
      expect.soft(git(folder, 'show', `${branch}:${file}`)).toBe(content.trimEnd());
    }
  }
  expect
    .soft(pullLines(stage))
    .toEqual(Object.fromEntries(Object.entries(wanted.pulls).map(([n, line]) => [n, beginning(line)])));
  expect.soft(textsByItem(stage, 'comments')).toEqual(beginnings(wanted.comments));
  expect.soft(textsByItem(stage, 'reviews')).toEqual(beginnings(wanted.reviews));
}

function beginnings(byItem: Record<string, string[]>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(byItem).map(([n, lines]) => [n, lines.map(beginning)]));
}

function pullLines(stage: Stage): Record<string, string> {
  const { items } = stage.forge.state;
  return Object.fromEntries(
    items
      .filter((i) => i.pull !== null)
      .map((i) => {
        const { headRef, baseRef } = i.pull!;
        const line = `${loginOf(stage, i.author)} ${headRef} → ${baseRef}: ${i.title}: ${i.body}`;
        return [String(i.number), line];
      }),
  );
}

function textsByItem(stage: Stage, kind: 'comments' | 'reviews'): Record<string, string[]> {
  const { items, comments, reviews } = stage.forge.state;
  const submitted = reviews.filter((r) => r.state !== 'REQUEST_REVIEW');
  const byItem: Record<string, string[]> = {};
  for (const entry of kind === 'comments' ? comments : submitted) {
    const { number } = items.find((i) => i.id === entry.item)!;
    const verdict = 'state' in entry ? ` ${entry.state}` : '';
    byItem[number] = [...(byItem[number] ?? []), `${loginOf(stage, entry.author)}${verdict}: ${entry.body}`];
  }
  return byItem;
}

function loginOf(stage: Stage, id: number): string {
  return stage.forge.state.users.find((u) => u.id === id)!.login;
}

export function expectTurns(stage: Stage, wanted: Expectation): void {
  const turns = firstRequests(stage);
  expect
    .soft(turns.map((t) => ({ scene: t.scene, history: t.historyMessages })))
    .toEqual(wanted.turns.map(({ scene, history }) => ({ scene, history })));
  for (const [i, { begins, contains, lacks, once }] of wanted.turns.entries()) {
    const request = turns[i]!;
    const everything = request.messages.map((m) => JSON.stringify(m.content)).join('\n');
    if (begins !== undefined) expect.soft(request.prompt).toEqual(beginning(begins));
    for (const text of contains) expect.soft(request.prompt).toContain(text);
    for (const text of lacks) expect.soft(request.prompt).not.toContain(text);
    for (const text of once) expect.soft(everything.split(inJson(text)).length - 1, text).toBe(1);
  }
}

export function firstRequests(stage: Stage): RecordedRequest[] {
  return stage.turns.filter((r) => r.step === 0);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** What holds after every scenario. */
export async function expectInvariants(stage: Stage): Promise<void> {
  const ended = (await stage.dispatches()).filter((d) => d.state === 'succeeded').map((d) => d.id);
  expect.soft(markers(stage).map((m) => m.dispatch)).toEqual(expect.arrayContaining(ended));
  expect
    .soft(new Set(markers(stage).map((m) => m.whole)).size, 'every marker is there once')
    .toBe(markers(stage).length);
  expect.soft((await stage.effects()).map((e) => e.state)).toEqual((await stage.effects()).map(() => 'done'));
  const open = (await stage.messages()).filter((m) => m.state === 'waiting' || m.state === 'carried');
  expect.soft(open, 'every message is accounted for').toEqual([]);
  expect.soft(await stage.processes(), 'nothing runs any more').toEqual([]);
}

/** In comments and reviews of the agents: whose answer each of them is. */
function markers(stage: Stage): { dispatch: string; whole: string }[] {
  const { comments, reviews } = stage.forge.state;
  return [...comments, ...reviews].flatMap(({ body }) =>
    [...body.matchAll(/<!-- claude-hooks ([\w-]+):\w+ -->/g)].map(([whole, dispatch]) => ({
      whole,
      dispatch: dispatch!,
    })),
  );
}
