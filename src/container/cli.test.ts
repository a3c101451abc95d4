/**
 * The real CLI, through the real SDK, in every engine: without a network and without a credential, by a socket alone.
 * A tool runs; then the container is gone and another one resumes.
 */

import { randomInt, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RehearsalModel, startRehearsalModel } from '../../rehearsal/model.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { testFolder } from '../../test/support/contained.ts';
import { historyText } from '../../test/support/conversation.ts';
import { type TestEngine, testEngines } from '../../test/support/engines.ts';
import { needs, titleOf } from '../../test/support/requirements.ts';
import { cliEnvironment } from '../agent-runner/environment.ts';
import { LiveInput } from '../agent-runner/live-input.ts';
import { type CliReport, runCli } from '../agent-runner/run-cli.ts';
import { cliFolders, createCliFolders, transcriptPath } from '../sessions/folders.ts';
import { cliFor } from './cli-build.ts';
import { placeOf } from './place.ts';

const SCRIPT = `
scenes:
  - name: plant
    when: { prompt: 'PLANT' }
    steps:
      - tools: [{ name: Bash, input: { command: 'pwd; id -u; git --version; git init -q . && git status --short --branch; echo made > by-tool.txt', description: 'Work' } }]
      - text: Noted.
  - name: ask
    when: { prompt: 'ASK' }
    recall: { fact: 'code word is (\\w+-\\d+)' }
    steps:
      - text: 'fact={{ recall.fact }}'
`;

interface Layout {
  folder: string;
  checkout: string;
  folders: ReturnType<typeof cliFolders>;
  relay: { root: string; origin: string };
  socket: string;
}

function layout(): Layout {
  const folder = testFolder();
  const folders = cliFolders(join(folder, 'state'), 'c-1');
  createCliFolders(folders);
  const relay = { root: join(folder, 'relay'), origin: join(folder, 'origin.git') };
  const parts = ['push.git', 'outbox', 'answers', 'programs'].map((part) => join(relay.root, part));
  const checkout = join(folder, 'checkout of 1');
  for (const path of [checkout, relay.origin, ...parts]) mkdirSync(path, { recursive: true });
  return { folder, checkout, folders, relay, socket: join(folder, 'model.sock') };
}

interface Turn {
  prompt: string;
  session: { id: string; start: 'new' | 'resume' };
}

/** A run in a container of its own, which is gone afterwards. */
async function turn(engine: TestEngine, at: Layout, { prompt, session }: Turn): Promise<CliReport> {
  const cli = await cliFor({ oci: engine.oci, image: engine.image, executable: null, muslCliPath: null });
  const place = placeOf(engine.engine, {
    checkout: at.checkout,
    checkoutName: 'widgets',
    folders: at.folders,
    socket: at.socket,
    cli,
    forwarder: null,
    relay: at.relay,
    settings: {
      image: engine.image,
      memoryBytes: 2 ** 31,
      cpus: null,
      pids: 500,
      user: null,
      network: 'none',
      mounts: [],
    },
    caches: [],
    path: process.env.PATH!,
  });
  const container = await engine.engine.start({ ...place.spec, instance: at.folder, dispatch: randomUUID() });
  onTestFinished(() => container.stop());
  return await runCli({
    container,
    input: new LiveInput(prompt),
    session: { ...session, resumeAt: null },
    cwd: place.cwd,
    env: cliEnvironment({ place, modelRetries: 0, modelIdleSeconds: 60, root: process.getuid?.() === 0 }),
    instructions: null,
    lockFile: join(at.folders.locks, session.id),
    executable: place.cli,
    agent: {
      model: 'claude-sonnet-4-5',
      effort: null,
      tools: null,
      disallowedTools: [],
      maxTurns: null,
      permissionMode: 'bypassPermissions',
      instructions: 'You are a test.',
    },
    tools: [],
    lateMessagesMs: 2000,
    backgroundMs: 60_000,
    signal: new AbortController().signal,
    observe: { text: async () => {}, tool: async () => {} },
  });
}

const turnsOf = (model: RehearsalModel) => model.requests.filter((r) => r.kind === 'turn');

for (const engine of testEngines()) {
  const cli = needs('cli');
  const reason = [engine.need.reason, cli.reason].filter((r) => r !== '').join('; ');

  describe.skipIf(reason !== '')(titleOf(`the CLI in ${engine.name}`, reason), () => {
    test('works by the socket alone, and a new container goes on where it stopped', async () => {
      const at = layout();
      const model = await startRehearsalModel({
        script: parseModelScript(SCRIPT, 'test'),
        socketPath: at.socket,
      });
      onTestFinished(() => model.close());
      const fact = `amber-${randomInt(1e6)}`;
      const id = randomUUID();

      const first = await turn(engine, at, {
        prompt: `PLANT: the code word is ${fact}`,
        session: { id, start: 'new' },
      });
      expect(first).toMatchObject({ thrown: null, initId: id, exitCode: 0 });
      expect(first.results.at(-1)).toMatchObject({ subtype: 'success', text: 'Noted.' });
      expect(readFileSync(join(at.checkout, 'by-tool.txt'), 'utf8')).toBe('made\n');
      const inside = engine.engine.isolates ? '/work/widgets' : at.checkout;
      const heard = JSON.stringify(turnsOf(model).at(-1)!.messages);
      for (const said of [`${inside}\\n${process.getuid!()}\\ngit version `, 'No commits yet']) {
        expect(heard).toContain(said);
      }
      expect(existsSync(join(at.folders.config, transcriptPath(id)))).toBe(true);

      const before = turnsOf(model).length;
      const second = await turn(engine, at, { prompt: 'ASK', session: { id, start: 'resume' } });
      expect(second.results.at(-1)).toMatchObject({ subtype: 'success', text: `fact=${fact}` });
      expect(historyText(turnsOf(model)[before]!)).toContain(fact);
      // The sessions of one conversation stand in one folder, whatever path the CLI was started in.
      expect(readdirSync(join(at.folders.config, 'projects'))).toEqual(['conversation']);
    });
  });
}
