/**
 * Somebody else's pull request through the whole service: what it puts where instructions stand reaches no request as
 * such, and what the settings of the repository ask for does not happen. Harmless markers.
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUN_ARGS, type TestEngine } from '../support/engines.ts';
import { needs, PODMAN_ARGS, titleOf } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { OWNER, REPOSITORY, STRANGER } from '../support/service-config.ts';

const VERDICT = 'Verdict: comment';
const MODEL = `scenes:
  - name: review
    steps:
      - tools:
          - { name: Read, input: { file_path: "{{ cwd }}/sub/code.js" } }
          - { name: Bash, input: { command: "git show HEAD:docs/missing.md | tr a-z A-Z; echo x >made.txt" } }
      - text: "${VERDICT}\\n\\nI have read it."
`;

const hook = (text: string) => [{ hooks: [{ type: 'command', command: text }] }];
const BASE = {
  'CLAUDE.md':
    'base-root\n@docs/missing.md\n@docs/anchored.md#part\n@docs/two\\ words.md\n- do `x @docs/code.md y`\n@docs/known.md\n',
  'docs/known.md': 'base-known\n',
  '.claude/rules/style.md': 'base-rule\n@../../docs/ruled.md\n',
  '.claude/settings.json': JSON.stringify({
    env: { CLAUDE_CODE_USE_BEDROCK: '1', HTTPS_PROXY: 'http://127.0.0.1:1' },
    hooks: { SessionStart: hook('cat docs/hooked.md'), Stop: hook('echo go on >&2; exit 2') },
    sandbox: { enabled: true, failIfUnavailable: true },
    enableAllProjectMcpServers: true,
  }),
  'sub/CLAUDE.md': 'base-sub\n',
  'sub/code.js': '// one\n',
};
const PULL = {
  'CLAUDE.md': 'pull-root\n',
  'docs/missing.md': 'pull-missing\n',
  'docs/anchored.md': 'pull-anchored\n',
  'docs/two words.md': 'pull-words\n',
  'docs/code.md': 'pull-code\n',
  'docs/known.md': 'pull-known\n',
  'docs/ruled.md': 'pull-ruled\n',
  'docs/hooked.md': 'pull-hooked\n',
  '.claude/rules/new.md': 'pull-rule\n',
  '.claude/skills/new/SKILL.md': '---\nname: new\ndescription: pull-skill\n---\nx\n',
  '.claude/agents/new.md': '---\nname: new\ndescription: pull-agent\n---\nx\n',
  '.mcp.json': JSON.stringify({ mcpServers: { pull: { command: 'sh', args: ['-c', 'sleep 100'] } } }),
  'sub/CLAUDE.md': 'pull-sub\n',
  'sub/.claude/rules/new.md': 'pull-deep\n',
  'sub/code.js': '// two\n',
};

export function projectFiles(engine: TestEngine): void {
  const tools = needs('cli', 'git', 'flock', 'proc');
  const reason = [engine.need.reason, tools.reason].filter((r) => r !== '').join('; ');
  describe.skipIf(reason !== '')(titleOf(`somebody else's pull request in ${engine.name}`, reason), () => {
    let stage: Stage;
    let umask: number;
    beforeAll(async () => {
      stage = await Stage.open({ model: MODEL, config: { container: containerOf(engine) } });
      // Nothing but the service itself keeps its files from others.
      umask = process.umask(0);
      await stage.spawn();
      process.umask(umask);
      commit(stage, BASE, 'main');
      commit(stage, PULL, 'change');
      const { number } = await stage.forge
        .as(STRANGER)
        .openPull(REPOSITORY, { title: 'Change', body: 'Please.', head: 'change', base: 'main' });
      await stage.forge.as(OWNER).requestReview(REPOSITORY, number, ['review-bot']);
      await stage.settled();
    });
    afterAll(() => stage?.close());

    test('the reviewer answers, by our model', async () => {
      expect((await stage.dispatches()).map((d) => d.state)).toEqual(['succeeded']);
      expect(stage.turns.length).toBe(2);
    });

    test('its requests hold the base’s instructions and nothing of the pull request’s', () => {
      const sent = JSON.stringify(stage.model.requests.map((r) => [r.systemText, r.messages, r.tools]));
      for (const mark of ['base-root', 'base-known', 'base-rule', 'base-sub']) expect(sent).toContain(mark);
      expect([...new Set(sent.match(/pull-[a-z]+/g))]).toEqual([]);
      // Read on purpose, as it is told to.
      expect(sent).toContain('PULL-MISSING');
    });

    test('the agent is told what is not there, and how to read it', () => {
      const prompt = stage.turns[0]!.prompt;
      expect(prompt).toMatch(/are not in the checkout: .*"docs\/missing.md"/);
      expect(prompt).toContain('git show HEAD:<path>');
    });

    test('nothing below the state folder is for others', () => {
      expect(readableByOthers(stage.state)).toEqual([]);
    });
  });
}

/** Files that the container's user made in its folders keep its modes. The folders above them are closed. */
const THE_AGENTS_OWN =
  /^(work\/checkouts\/[^/]+\/|conversations\/[^/]+\/(cli|home|tmp)\/|work\/relays\/[^/]+\/(push\.git|outbox)\/)/;

function readableByOthers(state: string): string[] {
  const found: string[] = [];
  const look = (path: string): void => {
    const at = lstatSync(path);
    const name = relative(state, path);
    if (!at.isSymbolicLink() && (at.mode & 0o077) !== 0 && !THE_AGENTS_OWN.test(name)) {
      found.push(`${name || '.'} ${(at.mode & 0o777).toString(8)}`);
    }
    if (at.isDirectory()) for (const entry of readdirSync(path)) look(join(path, entry));
  };
  look(state);
  return found;
}

function commit(stage: Stage, files: Record<string, string>, branch: string): void {
  const clone = join(stage.folder, 'author');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=eve', '-c', 'user.email=eve@example.com', ...args], {
      cwd: stage.folder,
      env: { PATH: process.env.PATH!, HOME: stage.folder, GIT_CONFIG_NOSYSTEM: '1' },
      stdio: 'ignore',
    });
  const bare = stage.repositoryFolder(REPOSITORY);
  if (branch === 'main') git('clone', '--quiet', bare, clone);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(clone, dirname(path)), { recursive: true });
    writeFileSync(join(clone, path), text);
  }
  git('-C', clone, 'add', '-A', '-f');
  git('-C', clone, 'commit', '--quiet', '-m', 'change');
  git('-C', clone, 'push', '--quiet', bare, `HEAD:refs/heads/${branch}`);
}

function containerOf(engine: TestEngine): Record<string, unknown> {
  const oci =
    engine.oci === null ? {} : { image: engine.image, program_args: PODMAN_ARGS, run_args: RUN_ARGS };
  return { engine: engine.name, ...oci };
}
