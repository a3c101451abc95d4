/**
 * The life of a service: starts, stops, kills, reloads. Everything is real; the configuration only shortens waits.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { AlreadyRunning } from '../src/errors.ts';
import { startService } from '../src/wiring.ts';
import { needs } from './support/requirements.ts';
import { expectInvariants, firstRequests } from './support/scenario-expectations.ts';
import { Stage } from './support/service.ts';
import {
  DEV,
  OWNER,
  REPOSITORY,
  type StageConfig,
  type StageOptions,
  tokenOf,
} from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage.close();
});

async function open(model: string, options: Partial<StageOptions> = {}): Promise<Stage> {
  stage = await Stage.open({ model, ...options });
  return stage;
}

async function assignIssue(): Promise<void> {
  await stage.forge.as(OWNER).createIssue(REPOSITORY, {
    title: 'Greeting is broken',
    body: 'The code word is heron-7.',
    assignees: [DEV],
  });
}

/** Bodies of the agent's comments on item 1, without our marks. */
function answers(): string[] {
  const { comments, users } = stage.forge.state;
  const dev = users.find((u) => u.login === DEV)!.id;
  return comments.filter((c) => c.author === dev).map((c) => c.body.split('\n\n<!--')[0]!);
}

/** How often a text is in what the model was sent with one request. */
function timesIn(request: (typeof stage.turns)[number], text: string): number {
  return JSON.stringify(request.messages).split(JSON.stringify(text).slice(1, -1)).length - 1;
}

/** Ends an answer on the issue whose work is in a pull request. */
const LINK = '\n\n> Pull request: #2';

const COMMIT = `
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo done > done.txt && git add . && git commit -qm Done" } }]`;
const CUT_OFF = `
  - name: cut-off
    when: { prompt: You were cut off }
    steps: [{ text: I went on. }]`;

describe.skipIf(!here.ok)(here.title('beside a running service'), () => {
  test('a second one on the same state folder is refused, while a reading command works', async () => {
    await open('');
    await stage.start();
    const second = startService({ file: stage.configFile, env: stage.env, write: () => {} });
    await expect(second).rejects.toThrow(AlreadyRunning);
    const process = await stage.spawnAgain();
    expect(process.code).toBe(1);
    expect(process.output).toMatch(
      /^Another claude-hooks service \(process \d+, since \S+\) owns the state folder \S+\. Stop it first, or give this one another "state" in its configuration\.\n$/,
    );
    await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'Read me', body: '' });
    await stage.settled();
    const deliveries = await stage.rows.selectFrom('deliveries').select('event_name').execute();
    expect(deliveries).toEqual([{ event_name: 'issue.opened' }]);
  });

  test('a port that is taken ends the service at once, with a sentence', async () => {
    await open('');
    const { port } = new URL(stage.forge.url);
    stage.extraEnv.PORT = port;
    const { code, output } = await stage.spawnAgain();
    expect(code).toBe(1);
    expect(output).toContain(`Cannot listen on 127.0.0.1:${port}: `);
    expect(output).toMatch(/Choose another server\.port, or end what uses it\.\n$/);
  });

  test('a broken edit keeps the last good configuration; a good one counts for the next delivery', async () => {
    await open('fallback: { text: I have heard of it. }');
    await stage.start();
    stage.write({ 'flows/urgent.yaml': flow("event.added.labels.exists(l, l == 'urgent'") });
    await stage.untilLogged('the changed configuration is wrong; the last good one stays in force');
    const ada = stage.forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Urgent matter', body: '', labels: ['urgent'] });
    await ada.comment(REPOSITORY, 1, `@${DEV} what do you think?`);
    await stage.settled();
    expect((await stage.messages()).map((m) => m.flow)).toEqual(['dev-mentioned']);

    stage.write({ 'flows/urgent.yaml': flow("event.added.labels.exists(l, l == 'late')") });
    await stage.untilLogged('configuration reloaded');
    await ada.label(REPOSITORY, 1, ['late']);
    await stage.settled();
    expect((await stage.messages()).map((m) => m.flow)).toEqual(['dev-mentioned', 'dev-labeled']);
    expect(answers()).toEqual(['I have heard of it.', 'I have heard of it.']);
  });
});

function flow(condition: string): string {
  return JSON.stringify({
    name: 'dev-labeled',
    on: ['issue.labeled'],
    if: condition,
    agent: 'dev',
    skill: 'work-on-issue',
  });
}

describe.skipIf(!here.ok)(here.title('a service that is told to stop'), () => {
  test('takes nothing more, and lets the run that is under way come to its end', async () => {
    await open(`scenes:${COMMIT}
      - text: It is done.
        faults: [{ hold: { name: answering, after: request } }]`);
    const service = await stage.spawn();
    await assignIssue();
    await stage.reached('answering');
    // A client that never ends its request must not keep the service from stopping.
    const half = connect(Number(new URL(stage.url).port), '127.0.0.1');
    half.on('error', () => {});
    await once(half, 'connect');
    half.write(
      'POST /webhooks/home HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    );
    // Connections are taken in order: once this one is answered, the other is taken, too.
    expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
    const ended = service.terminate();
    await stage.untilLogged('stopping: no new work is taken');
    await stage.until('no connection is taken', () =>
      fetch(`${stage.url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    stage.model.release('answering');
    expect(await ended).toBe(0);
    half.destroy();
    expect((await stage.dispatches()).map((d) => d.state)).toEqual(['succeeded']);
    expect(answers()).toEqual([`It is done.${LINK}`]);
    await expectInvariants(stage);
  });

  test.each([
    {
      when: 'before the first reply',
      hold: 'first',
      form: 'Your task in this conversation:',
      continuity: 'fresh',
    },
    { when: 'after a tool', hold: 'second', form: 'You were cut off: ', continuity: 'resumed' },
  ])('interrupts a run that takes longer, $when; the next start goes on in the same session', async (cut) => {
    await open(
      `scenes:${CUT_OFF}
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: echo ran >> ran.txt } }]
        faults: [{ hold: { name: first, after: request } }]
      - text: It is done.
        faults: [{ hold: { name: second, after: request } }]`,
      { config: { worker: { drain_seconds: 1 } } },
    );
    if (cut.hold === 'second') stage.model.release('first');
    const service = await stage.start();
    await assignIssue();
    await stage.reached(cut.hold);
    await service.stop();
    expect(await stage.dispatches()).toMatchObject([
      { state: 'interrupted', reason: 'the service was stopped' },
    ]);
    expect(await stage.processes()).toEqual([]);
    const sessions = (await stage.sessions()).map((s) => s.id);

    stage.model.release('first');
    stage.model.release('second');
    await stage.start();
    await stage.settled();
    expect(await stage.dispatches()).toMatchObject([
      { state: 'succeeded', attempt: 2, session_id: sessions[0], continuity: cut.continuity },
    ]);
    expect((await stage.sessions()).map((s) => s.id)).toEqual(sessions);
    const again = firstRequests(stage).at(-1)!;
    expect(again.prompt.startsWith(cut.form)).toBe(true);
    expect(timesIn(again, 'Do what is asked for below, and what the discussion')).toBe(1);
    await expectInvariants(stage);
  });
});

describe.skipIf(!here.ok)(here.title('a service that is killed'), () => {
  test('in the middle of a tool: its processes are ended before the session goes on', async () => {
    await open(`scenes:
  - name: cut-off
    when: { prompt: You were cut off }
    steps:
      - text: I went on.
        faults: [{ hold: { name: resumed, after: request } }]
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: "echo ran >> ran.txt; sleep 600; echo ended >> ran.txt" } }]
      - text: This is never said.`);
    const service = await stage.spawn();
    await assignIssue();
    const file = await stage.until('the tool runs', async () => {
      const [conversation] = await stage.rows.selectFrom('conversations').select('id').execute();
      const path = join(stage.state, 'work/checkouts', conversation?.id ?? '-', 'greeter/ran.txt');
      return existsSync(path) ? path : null;
    });
    const running = await stage.processes();
    await service.kill();
    expect(await stage.processes(), 'something outlives the service').not.toEqual([]);

    await stage.spawn();
    await stage.reached('resumed');
    expect((await stage.processes()).filter((pid) => running.includes(pid))).toEqual([]);
    stage.model.release('resumed');
    await stage.settled();
    expect(readFileSync(file, 'utf8')).toBe('ran\n');
    expect(await stage.dispatches()).toMatchObject([
      { state: 'succeeded', attempt: 2, continuity: 'resumed', answer: 'I went on.' },
    ]);
    expect(await stage.sessions()).toHaveLength(1);
    await expectInvariants(stage);
  });

  test('in the middle of publishing: published once after the next start, the model is not asked again', async () => {
    await open(`scenes:${COMMIT}
      - text: It is done.
        faults: [{ hold: { name: answering, after: request } }]`);
    const service = await stage.spawn();
    await assignIssue();
    await stage.reached('answering');
    await stage.stopForge();
    const silent = await listenSilently(Number(new URL(stage.forge.url).port));
    stage.model.release('answering');
    await stage.until('the answer is stored', async () => (await stage.dispatches())[0]!.answer !== null);
    await silent.reached;
    await service.kill();
    expect(await stage.dispatches()).toMatchObject([{ state: 'running' }]);
    const asked = stage.turns.length;
    await silent.close();
    await stage.startForge();

    await stage.spawn();
    await stage.settled();
    expect(await stage.dispatches()).toMatchObject([{ state: 'succeeded', attempt: 2 }]);
    expect(stage.turns.length).toBe(asked);
    expect(answers()).toEqual([`It is done.${LINK}`]);
    await expectInvariants(stage);
  });
});

/** In the forge's place: takes connections and never answers. */
async function listenSilently(port: number): Promise<{ reached: Promise<void>; close(): Promise<void> }> {
  let reach: () => void = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    reach();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    reached,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test.skipIf(!here.ok)(here.title('a tool left in the background does not keep the slot'), async () => {
  await open(
    `scenes:
  - name: background
    when: { prompt: assigned this to you }
    steps:
      - tools: [{ name: Bash, input: { command: sleep 600, run_in_background: true } }]
      - text: It runs in the background.
  - name: later
    when: { prompt: Still there, history: It runs in the background }
    steps: [{ text: I am. }]`,
    { config: { worker: { background_seconds: 1 } } },
  );
  await stage.start();
  await assignIssue();
  await stage.settled();
  const [dispatch] = await stage.dispatches();
  const cut =
    'It runs in the background.\n\nA subagent or command that I had left in the background did not end within 1 minute (worker.background_seconds) and was stopped. What it would have found is not in this answer. Write here to let me go on.';
  expect(dispatch).toMatchObject({ state: 'succeeded', answer: cut });
  expect(await stage.processes()).toEqual([]);
  await stage.forge.as(OWNER).comment(REPOSITORY, 1, 'Still there?');
  await stage.settled();
  expect(answers()).toEqual([cut, 'I am.']);
  await expectInvariants(stage);
});

test.skipIf(!here.ok)(here.title('the configuration in the README makes the service answer'), async () => {
  await open(
    `scenes:${COMMIT}
      - text: It is done.
  - name: recall
    when: { prompt: What was the code word, history: heron-7 }
    steps: [{ text: heron-7. }]`,
    { configText: (at) => newcomersConfig(at) },
  );
  await stage.spawn();
  await assignIssue();
  await stage.settled();
  await stage.forge.as(OWNER).comment(REPOSITORY, 1, 'What was the code word?');
  await stage.settled();
  expect(answers()).toEqual([`It is done.${LINK}`, 'heron-7.']);
  expect((await stage.dispatches()).map((d) => d.continuity)).toEqual(['fresh', 'resumed']);
  await expectInvariants(stage);
});

interface Newcomers {
  server?: Record<string, unknown>;
  model: { api_key: string; upstream?: string };
  mailbox?: { quiet_seconds: number };
  forges: Record<string, NewcomersForge>;
}

interface NewcomersForge {
  url: string;
  repositories: string[];
  webhook_secret: string;
  accounts: Record<string, { login: string; token: string }>;
}

/** As it is printed, with what a newcomer fills in: addresses, the repository, the accounts, and the variables. */
function newcomersConfig(at: { forge: string; model: string }): StageConfig {
  const config = parse(firstConfiguration()) as Newcomers;
  const [name, forge] = Object.entries(config.forges)[0]!;
  const webhookSecret = 'secret-of-the-hook';
  const env = {
    [variable(config.model.api_key)]: 'sk-ant-newcomers-key',
    [variable(forge.webhook_secret)]: webhookSecret,
  };
  for (const [agent, account] of Object.entries(forge.accounts)) {
    account.login = agent === 'dev' ? DEV : 'review-bot';
    env[variable(account.token)] = tokenOf(account.login);
  }
  forge.url = at.forge;
  forge.repositories = [REPOSITORY];
  config.model.upstream = at.model;
  config.server = { ...config.server, port: '${PORT}' };
  config.mailbox = { quiet_seconds: 0 };
  return { text: JSON.stringify(config), env, forge: name, webhookSecret };
}

function variable(reference: string): string {
  return /^\$\{(\w+)\}$/.exec(reference)![1]!;
}

/** The YAML below "Connect a Forgejo". */
function firstConfiguration(): string {
  const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
  const chapter = /^#+ Connect a Forgejo[\s\S]*/m.exec(readme)![0];
  return /^```ya?ml\n([\s\S]*?)^```/m.exec(chapter)![1]!;
}

test('comments that arrive while the forge is being read are read by one run only', async () => {
  await open(`scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps: [{ text: It is done. }]
  - name: reply
    steps: [{ text: Noted. }]`);
  await stage.start();
  await assignIssue();
  await stage.settled();
  const remarks = Array.from({ length: 12 }, (_, i) => `remark-${i}-end`);
  for (const text of remarks) await stage.forge.as(OWNER).comment(REPOSITORY, 1, text);
  await stage.settled();
  const prompts = firstRequests(stage).map((r) => r.prompt);
  const shown = remarks.map((text) => prompts.filter((p) => p.includes(text)).length);
  expect(shown).toEqual(remarks.map(() => 1));
  await expectInvariants(stage);
});
