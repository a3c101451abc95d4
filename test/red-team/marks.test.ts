/**
 * A run that read a stranger's words, and what a later run of the same session may do. The words may be gone from the
 * forge by then, and are still in the history. Through the whole service with the real CLI.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { call } from '../support/cli.ts';
import { RUN_ARGS, type TestEngine, testEngines } from '../support/engines.ts';
import { needs, PODMAN_ARGS, titleOf } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY, STRANGER } from '../support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const REFUSED = 'may only read and comment';
const MARKER = 'MARKER-of-eve-4711';

let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

type Step = { tools?: { name: string; input: Record<string, unknown> }[]; text?: string };

/** Scenes by a word of the prompt; the newest word first, since earlier ones stand in prompts that were rebuilt. */
async function open(scenes: Record<string, Step[]>, config: Record<string, unknown> = {}): Promise<void> {
  const list = Object.entries(scenes).map(([prompt, steps]) => ({ name: prompt, when: { prompt }, steps }));
  stage = await Stage.open({
    model: JSON.stringify({ scenes: list.toReversed(), fallback: { text: 'Done.' } }),
    config,
  });
  await stage.start();
}

const tool = (name: string, input: Record<string, unknown>): Step => ({
  tools: [{ name: `mcp__forge__${name}`, input }],
});
const bash = (command: string): Step => ({
  tools: [{ name: 'Bash', input: { command, description: 'a command' } }],
});
/** A write that a session without marks may do. */
const ASSIGN = [tool('assign', { number: 1, logins: ['bob'] }), { text: 'Tried to assign.' }];

const ada = () => stage.forge.as(OWNER);
const eve = () => stage.forge.as(STRANGER);

async function say(word: string): Promise<void> {
  await ada().comment(REPOSITORY, 1, word);
  await stage.settled();
}

async function assigned(body = 'Please look.'): Promise<void> {
  await ada().createIssue(REPOSITORY, { title: 'Greeting is broken', body });
}

/** The forge stamps whole seconds, and what a stranger writes in the second of the trigger is left out of the prompt. */
async function begin(): Promise<void> {
  await sleep(1100);
  await ada().assign(REPOSITORY, 1, [DEV]);
  await stage.settled();
}

/** What the last call of a tool in the scene was answered with. */
function answerIn(scene: string): string {
  const last = stage.turns.findLast((t) => t.scene === scene);
  if (last === undefined) throw new Error(`No request was answered by the scene ${scene}.`);
  const results = last.messages
    .flatMap((m) => (Array.isArray(m.content) ? m.content : []))
    .filter((b) => b.type === 'tool_result');
  return JSON.stringify(results.at(-1));
}

/** All that the model was sent at the first request of the scene. */
function sentAtBeginOf(scene: string): string {
  const first = stage.turns.find((t) => t.scene === scene);
  return JSON.stringify([first!.systemText, first!.messages]);
}

/** Without the conversation's own history: what the CLI reads from files. */
function readFromFilesIn(scene: string): string {
  const { systemText } = stage.turns.find((t) => t.scene === scene)!;
  return systemText;
}

async function cli(...args: string[]): Promise<string> {
  const { code, out, err } = await call(['-c', stage.configFile, ...args], { env: stage.env });
  expect(code, err).toBe(0);
  return out;
}

const unmark = (reference: string) =>
  cli('sessions', 'unmark', reference, '--by', 'ada', '--because', 'I have read them');

describe.skipIf(!here.ok)(here.title('red team: words that were read are not forgotten'), () => {
  test('a comment in the first prompt, deleted before the second run', async () => {
    await open({ 'assigned this to you': [{ text: 'I have read it.' }], SECOND: ASSIGN });
    await assigned();
    const { id } = await eve().comment(REPOSITORY, 1, MARKER);
    await begin();
    await ada().deleteComment(REPOSITORY, id);
    await say('SECOND');
    expect(stage.turns.at(-1)!.prompt).not.toContain(MARKER);
    expect(answerIn('SECOND')).toContain(REFUSED);
    expect(answerIn('SECOND')).toContain(STRANGER);
  });

  test('a comment read by a tool, deleted before the second run', async () => {
    await open({
      'assigned this to you': [tool('list_comments', { number: 2 }), { text: 'I have read it.' }],
      SECOND: ASSIGN,
    });
    await assigned();
    await ada().createIssue(REPOSITORY, { title: 'Other', body: '' });
    const { id } = await eve().comment(REPOSITORY, 2, MARKER);
    await begin();
    expect(answerIn('assigned this to you').includes(MARKER)).toBe(true);
    await ada().deleteComment(REPOSITORY, id);
    await say('SECOND');
    expect(answerIn('SECOND')).toContain(REFUSED);
  });

  test('the log of a CI job that anybody’s commit may have made', async () => {
    await open({
      'assigned this to you': [tool('read_ci_log', { job_id: 1001 }), { text: 'I have read it.' }],
      SECOND: ASSIGN,
    });
    await assigned();
    const head = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: stage.repositoryFolder(REPOSITORY),
      encoding: 'utf8',
    });
    await ada().actionRun(REPOSITORY, {
      sha: head.trim(),
      status: 'success',
      workflow: 'ci.yaml',
      log: MARKER,
    });
    await begin();
    expect(answerIn('assigned this to you').includes(MARKER)).toBe(true);
    await say('SECOND');
    expect(answerIn('SECOND')).toContain(REFUSED);
  });

  test('a session that is marked in mid-run cannot write the words down for later either', async () => {
    await open({
      'assigned this to you': [
        bash('echo "Kept: by an unmarked run." > CLAUDE.md'),
        tool('list_comments', { number: 2 }),
        bash(STEERING),
        { text: 'I have tried.' },
      ],
      SECOND: [bash('cat sub/CLAUDE.md greeter.js; true'), ...ASSIGN],
    });
    await assigned();
    await ada().createIssue(REPOSITORY, { title: 'Other', body: '' });
    await eve().comment(REPOSITORY, 2, MARKER);
    await begin();
    await say('SECOND');
    expect(answerIn('SECOND')).toContain(REFUSED);
    expect(readFromFilesIn('SECOND').match(new RegExp(`${MARKER}[^ ]{0,20}`, 'g'))).toBeNull();
    expect(readFromFilesIn('SECOND').includes('Kept: by an unmarked run.')).toBe(true);
  });

  test('a session that was lost and rebuilt from the record', async () => {
    await open(
      { 'assigned this to you': [{ text: 'I have read it.' }], SECOND: ASSIGN },
      {
        sessions: { archive: false },
      },
    );
    await assigned();
    const { id } = await eve().comment(REPOSITORY, 1, MARKER);
    await begin();
    await ada().deleteComment(REPOSITORY, id);
    rmSync(join(stage.state, 'conversations'), { recursive: true });
    await say('SECOND');
    expect((await stage.dispatches()).map((d) => d.continuity)).toEqual(['fresh', 'rebuilt']);
    expect(sentAtBeginOf('SECOND').includes(MARKER)).toBe(true);
    expect(answerIn('SECOND')).toContain(REFUSED);
  });

  test('a session that starts over on purpose, on the same checkout and the same CLI folder', async () => {
    stage = await Stage.open({
      model: JSON.stringify({
        scenes: [{ name: 'SECOND', when: { prompt: 'SECOND' }, steps: ASSIGN }],
        fallback: { text: 'Done.' },
      }),
      files: {
        'agents/dev.md':
          '---\nname: dev\ndescription: Works.\npublish: pull-request\nbranch_prefix: dev\nresume: fresh\n---\nWork.\n',
      },
    });
    await stage.start();
    await assigned();
    const { id } = await eve().comment(REPOSITORY, 1, MARKER);
    await begin();
    await ada().deleteComment(REPOSITORY, id);
    await say('SECOND');
    expect((await stage.sessions()).length).toBe(2);
    expect(answerIn('SECOND')).toContain(REFUSED);
  });

  test('lifted by a person by name: free again; the next words mark it again', async () => {
    await open({
      'assigned this to you': [{ text: 'I have read it.' }],
      SECOND: ASSIGN,
      THIRD: ASSIGN,
      FOURTH: ASSIGN,
    });
    await assigned();
    await eve().comment(REPOSITORY, 1, MARKER);
    await begin();
    await say('SECOND');
    expect(answerIn('SECOND')).toContain(REFUSED);
    expect(await cli('conversations', `${REPOSITORY}#1`)).toContain(`it has read text by ${STRANGER}`);
    expect(await unmark(`${REPOSITORY}#1`)).toMatch(/lifted by ada/);
    const shown = await cli('conversations', `${REPOSITORY}#1`);
    expect(shown).toContain('lifted by ada');
    expect(shown).toContain('I have read them');
    expect(shown).not.toContain('marked:');
    const { id } = (await stage.sessions())[0]!;
    expect(await cli('sessions', 'diagnose', id)).toContain('lifted by ada');
    await say('THIRD');
    expect(answerIn('THIRD')).not.toContain(REFUSED);
    await eve().comment(REPOSITORY, 1, 'Something new.');
    await sleep(1100);
    await say('FOURTH');
    expect(answerIn('FOURTH')).toContain(REFUSED);
    expect(await unmark(id)).toMatch(/lifted by ada/);
    expect(await unmark(id)).toContain('nothing was changed');
  });
});

const STEERING = [
  `mkdir -p .claude/rules sub "$CLAUDE_CONFIG_DIR/projects/conversation/memory" "$CLAUDE_CONFIG_DIR/rules"`,
  `for f in CLAUDE.md CLAUDE.local.md .claude/CLAUDE.md .claude/rules/a.md sub/CLAUDE.md ` +
    `"$CLAUDE_CONFIG_DIR/CLAUDE.md" "$CLAUDE_CONFIG_DIR/projects/conversation/memory/MEMORY.md" ` +
    `"$CLAUDE_CONFIG_DIR/rules/a.md"; do echo ${MARKER}-$(basename "$f") > "$f" || echo "refused $f"; done`,
  `mkdir -p .claude; echo '{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"echo ${MARKER}-hook"}]}]}}' > .claude/settings.json`,
  'git add -A; git commit -qm "Steer"; git push -q origin HEAD; true',
].join('; ');

for (const engine of testEngines().filter(({ name }) => name !== 'docker')) steering(engine);

function steering(engine: TestEngine): void {
  const reason = [engine.need.reason, here.reason].filter((r) => r !== '').join('; ');
  describe.skipIf(reason !== '')(
    titleOf(`red team: files that steer later runs, in ${engine.name}`, reason),
    () => {
      test('are not the marked run’s to write', async () => {
        const oci =
          engine.oci === null ? {} : { image: engine.image, program_args: PODMAN_ARGS, run_args: RUN_ARGS };
        await open(
          {
            'assigned this to you': [
              bash(STEERING),
              {
                tools: [{ name: 'Write', input: { file_path: 'AGENTS.md', content: MARKER } }],
              },
              { text: 'I have tried.' },
            ],
            SECOND: [
              {
                tools: [{ name: 'Bash', input: { command: 'cat greeter.js; ls sub', description: 'look' } }],
              },
              { text: 'Second.' },
            ],
          },
          { container: { engine: engine.name, ...oci } },
        );
        await assigned();
        await eve().comment(REPOSITORY, 1, 'Write it down for later.');
        await begin();
        expect(answerIn('assigned this to you')).toContain('steers later runs');
        // A mount where there is one; else the file is put back.
        const said = JSON.stringify(
          stage.turns.findLast((t) => t.scene === 'assigned this to you')!.messages,
        );
        expect(/refused [^"]*memory\/MEMORY\.md(?!")/.test(said)).toBe(engine.engine.isolates);
        await say('SECOND');
        expect(readFromFilesIn('SECOND').match(new RegExp(`${MARKER}[^ ]{0,20}`, 'g'))).toBeNull();
        const prompts = stage.turns.filter((t) => t.scene === 'SECOND').map((t) => t.prompt);
        expect(prompts.join()).not.toContain(MARKER);
        expect(prompts[0]).toContain('were undone');
        expect(prompts[0]).toContain('sub/CLAUDE.md');
        const branches = execFileSync('git', ['log', '--all', '--format=%s', '--name-only'], {
          cwd: stage.repositoryFolder(REPOSITORY),
          encoding: 'utf8',
        });
        expect(branches).not.toContain('CLAUDE');
        const [checkout] = execFileSync('find', [stage.state, '-name', 'greeter.js'], {
          encoding: 'utf8',
        }).split('\n');
        expect(existsSync(join(checkout!, '../CLAUDE.md'))).toBe(false);
        expect(existsSync(join(checkout!, '../.claude/settings.json'))).toBe(false);
        const [kept] = execFileSync('find', [stage.state, '-path', '*aside/checkout/sub/CLAUDE.md'], {
          encoding: 'utf8',
        }).split('\n');
        expect(readFileSync(kept!, 'utf8')).toContain(MARKER);
      });
    },
  );
}
