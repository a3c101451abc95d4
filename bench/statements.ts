/**
 * SQL statements and transactions of one webhook and of one resumed dispatch: this source and the commit before `src/`
 * was moved, each as a service of its own that plays the same story. No time is measured. BENCH_LIST=1 prints the
 * statements of this source, the most frequent first.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Stage } from '../test/support/service.ts';
import { DEV, OWNER, REPOSITORY, tokenOf } from '../test/support/service-config.ts';
import type { Bench } from './bench.ts';
import { checkOutEarlier, KNOWN_EARLIER } from './earlier.ts';
import { figure, type Goal, type PartReport, shareAtMost, type Table } from './report.ts';
import { serve } from './serve-process.ts';
import type { StatementLine } from './statement-log.ts';

const BEFORE = 'abd1718';
const SOURCE = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const LOG = fileURLToPath(new URL('statement-log.ts', import.meta.url));
const ROUNDS = 3;
const SCRIPT = `
scenes:
  - name: work
    when: { prompt: 'do the work of round (\\d+)' }
    steps:
      - tools: [{ name: mcp__forge__read_item, input: { number: 1 } }]
      - tools: [{ name: mcp__forge__comment, input: { number: 1, text: On it. } }]
      - tools: [{ name: Bash, input: { command: 'date +%N >> work.txt && git add work.txt && git commit -qm "Work of a round" && git push -q origin HEAD' } }]
      - text: I have done it.
fallback: { text: I have read it. }
`;
/** Router and worker look every one and two seconds. */
const IDLE_MS = 4500;

interface Counted {
  statements: number;
  /** begin … commit */
  transactions: number;
  /** writes to the disk: transactions that write, and writing statements without one */
  commits: number;
  /** of `src/`, in which a function was called */
  files: number;
  /** of functions of `src/` */
  calls: number;
  texts: string[];
}

interface Story {
  /** a comment of somebody whom the service knows, from POST to routed */
  webhook: Counted;
  /** the first comment of somebody */
  newcomer: Counted;
  /** a resumed dispatch that answers with a comment, from the lease to settled */
  dispatch: Counted;
  /** one that also reads and comments by the forge's tools, commits and pushes, and has a pull request */
  worked: Counted;
}

export async function measureStatements(bench: Bench): Promise<PartReport> {
  const before = await playStory(bench, 'before', await checkOutEarlier(bench, BEFORE));
  const after = await playStory(bench, 'after', SOURCE);
  if (process.env.BENCH_LIST === '1') for (const line of listOf(after.worked)) bench.say(line);
  for (const kind of ['dispatch', 'worked'] as const) {
    const [was, is] = [before[kind], after[kind]];
    bench.say(
      `  ${kind}: ${was.statements} → ${is.statements} statements, ${was.transactions} → ${is.transactions} transactions`,
    );
  }
  return {
    title: 'Statements and transactions',
    method: [
      `Two services with SQLite on a pocket forge and a rehearsal model of this source, one of commit ${BEFORE}, one of this source. ada assigns an issue; then she comments ${ROUNDS} times, and each time the conversation is resumed and answered with a comment; ${ROUNDS} times more, and each time the agent reads the issue and comments by its tools, commits, pushes through the relay and answers; then bob comments for the first time. A module loaded with \`--import\` writes down each statement as SQLite gets it. A webhook counts from its POST to the commit of its routing, a dispatch from there to the commit of its settlement, the transaction of the lease included. What router and worker ask while nothing happens is left out. The hook is off while the dispatch runs, so that its own answer is not counted as a webhook. How often the archive looks depends on how long the CLI takes, so the lowest of the ${ROUNDS} rounds counts.`,
      'Files and calls are of `src/`, as V8 counts the calls of each function between two fault points, what goes on beside them included. A transaction is `begin` to `commit`. Commits are what is written to the disk: transactions that write, and single statements that write.',
    ],
    goals: goalsOf(before, after),
    tables: [tableOf(before, after)],
  };
}

async function playStory(bench: Bench, name: string, cli: string): Promise<Story> {
  const stage = await Stage.open({
    model: SCRIPT,
    config: { ...KNOWN_EARLIER, mailbox: { quiet_seconds: 0, max_wait_seconds: 0 }, log: { format: 'json' } },
  });
  bench.atEnd(() => stage.close());
  const file = join(bench.folder, `statements-${name}`);
  Object.assign(stage.extraEnv, {
    BENCH_STATEMENTS: file,
    NODE_OPTIONS: `--import ${pathToFileURL(LOG).href}`,
  });
  const service = await serve({ cli, config: stage.configFile, env: stage.env });
  bench.atEnd(() => service.stop());
  const hook = () =>
    stage.forge
      .as(OWNER)
      .addHook(REPOSITORY, { url: `${service.url}/webhooks/home`, secret: stage.webhookSecret });
  await hook();
  await stage.forge
    .as(OWNER)
    .createIssue(REPOSITORY, { title: 'Greeting is broken', body: 'Undefined.', assignees: [DEV] });
  await stage.untilDispatch(1, 'succeeded');
  await stage.settled();
  const field: Field = { stage, hook, lines: () => linesOf(file), idle: new Set() };
  const from = field.lines().length;
  await sleep(IDLE_MS);
  for (const line of field.lines().slice(from)) if ('sql' in line) field.idle.add(line.sql);
  const rounds = [];
  for (let n = 2; n < ROUNDS + 2; n++) rounds.push(await commentOnce(field, OWNER, { n, text: 'and now?' }));
  const works = [];
  for (let n = ROUNDS + 2; n < 2 * ROUNDS + 2; n++) {
    works.push(await commentOnce(field, OWNER, { n, text: `do the work of round ${n}` }));
  }
  const newcomer = await commentOnce(field, 'bob', { n: 2 * ROUNDS + 2, text: 'and now?' });
  await service.stop();
  return {
    webhook: lowest(rounds.map((r) => r.webhook)),
    newcomer: newcomer.webhook,
    dispatch: lowest(rounds.map((r) => r.dispatch)),
    // The first one opens the pull request.
    worked: lowest(works.slice(1).map((r) => r.dispatch)),
  };
}

interface Field {
  stage: Stage;
  hook: () => Promise<unknown>;
  lines: () => StatementLine[];
  /** what is asked while nothing happens */
  idle: Set<string>;
}

async function commentOnce(
  { stage, hook, lines, idle }: Field,
  login: string,
  { n, text }: { n: number; text: string },
): Promise<Pick<Story, 'webhook' | 'dispatch'>> {
  const from = lines().length;
  await stage.forge.as(login).comment(REPOSITORY, 1, `@${DEV} ${text}`);
  await stage.forge.settled();
  await removeHooks(stage);
  const { continuity } = await stage.untilDispatch(n, 'succeeded');
  if (continuity !== 'resumed') {
    throw new Error(`Dispatch ${n} was ${continuity}, not resumed. Read the service's log.`);
  }
  await stage.until('it is settled', () => pointIn(lines().slice(from), 'settle.committed') !== -1);
  await hook();
  const all = lines().slice(from);
  const received = pointIn(all, 'webhook.received');
  const routed = pointIn(all, 'routing.committed');
  if (all.filter((line) => 'point' in line && line.point === 'webhook.received').length !== 1) {
    throw new Error('More than one webhook came. Run it again on a machine that is less busy.');
  }
  return {
    webhook: count(all.slice(received + 1, routed + 1), idle),
    dispatch: count(all.slice(routed + 1, pointIn(all, 'settle.committed') + 1), idle),
  };
}

async function removeHooks(stage: Stage): Promise<void> {
  const address = `${stage.forge.url}/api/v1/repos/${REPOSITORY}/hooks`;
  const headers = { authorization: `token ${tokenOf(OWNER)}` };
  const hooks = (await (await fetch(address, { headers })).json()) as { id: number }[];
  for (const { id } of hooks) await fetch(`${address}/${id}`, { method: 'DELETE', headers });
}

function pointIn(lines: readonly StatementLine[], point: string): number {
  return lines.findIndex((line) => 'point' in line && line.point === point);
}

function linesOf(file: string): StatementLine[] {
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n'))
    .split('\n')
    .map((line) => JSON.parse(line) as StatementLine);
}

/** SQLite has one connection, so what stands between `begin` and `commit` is one transaction. */
function count(lines: readonly StatementLine[], idle: ReadonlySet<string>): Counted {
  const counted: Counted = { statements: 0, transactions: 0, commits: 0, files: 0, calls: 0, texts: [] };
  const files = new Set<string>();
  let open: string[] | null = null;
  for (const line of lines) {
    if ('point' in line) {
      for (const file of line.files) files.add(file);
      counted.calls += line.calls;
      continue;
    }
    const { sql } = line;
    if (/^begin\b/i.test(sql)) open = [];
    else if (/^(commit|rollback)\b/i.test(sql)) {
      if (open !== null && open.length > 0) {
        counted.transactions++;
        if (open.some(isWrite)) counted.commits++;
      }
      open = null;
    } else if (!idle.has(sql)) {
      counted.statements++;
      counted.texts.push(sql);
      if (open === null && isWrite(sql)) counted.commits++;
      open?.push(sql);
    }
  }
  return { ...counted, files: files.size };
}

function isWrite(sql: string): boolean {
  return /^\s*(insert|update|delete|replace|with\b.*\b(insert|update|delete))\b/is.test(sql);
}

function lowest(rounds: readonly Counted[]): Counted {
  return rounds.toSorted((a, b) => a.statements - b.statements)[0]!;
}

function listOf({ texts }: Counted): string[] {
  const times = Map.groupBy(texts, (text) => text);
  return [...times]
    .map(([text, { length }]) => ({ text, length }))
    .toSorted((a, b) => b.length - a.length)
    .map(({ text, length }) => `${String(length).padStart(4)}  ${text.slice(0, 300)}`);
}

function goalsOf(before: Story, after: Story): Goal[] {
  const names = { dispatch: 'Resumed dispatch', worked: 'Resumed dispatch with tools and a push' };
  return (['dispatch', 'worked'] as const).flatMap((story) =>
    (['statements', 'transactions'] as const).map((kind) =>
      shareAtMost(
        `${names[story]}: ${kind}, as a share of before`,
        after[story][kind],
        before[story][kind],
        0.5,
      ),
    ),
  );
}

function tableOf(before: Story, after: Story): Table {
  const rows = (what: string, of: (story: Story) => Counted) =>
    (['statements', 'transactions', 'commits', 'files', 'calls'] as const).map((kind) => {
      const [then, now] = [of(before)[kind], of(after)[kind]];
      return [`${what}: ${kind}`, figure(then, 0), figure(now, 0), then === 0 ? '' : figure(now / then, 2)];
    });
  return {
    caption: 'The same story, before and after',
    head: ['', `before (${BEFORE})`, 'after', 'ratio'],
    rows: [
      ...rows('webhook of somebody known', ({ webhook }) => webhook),
      ...rows('first webhook of somebody', ({ newcomer }) => newcomer),
      ...rows('resumed dispatch', ({ dispatch }) => dispatch),
      ...rows('with tools and a push', ({ worked }) => worked),
    ],
  };
}
