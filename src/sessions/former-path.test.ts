/**
 * A conversation that was begun when containers had the CLI folder at its path on this machine: it goes on, and what its
 * history says of files in there is still so.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { TestConversation } from '../../test/support/conversation.ts';
import { testEngines } from '../../test/support/engines.ts';
import { needs, titleOf } from '../../test/support/requirements.ts';
import type { ContainerEngine } from '../container/container.ts';

const INSIDE = '/state/cli';

const SCRIPT = `
scenes:
  - name: plant
    when: { prompt: 'PLANT' }
    steps:
      - tools: [{ name: Bash, input: { command: 'seq 1 20000; cat secret.txt', description: 'Say much' } }]
      - text: I have noted it.
  - name: read
    when: { prompt: 'READ' }
    recall: { path: 'saved to: (\\S+tool-results\\S+txt)' }
    steps:
      - tools: [{ name: Bash, input: { command: 'tail -n 1 {{ recall.path }}; echo kept > {{ recall.path }}.kept && ls -d ${INSIDE}', description: 'Look' } }]
      - text: '{{ last_tool_result }}'
`;

/** The real engine, given what the service gave it then: the folder at its own path, and the CLI told of that one. */
function asItWas(engine: ContainerEngine, seen: string[]): ContainerEngine {
  return {
    ...engine,
    start: async (spec) => {
      const { source } = spec.mounts.find((m) => m.target === INSIDE)!;
      seen.push(source);
      const mounts = spec.mounts.map((m) => (m.target === INSIDE ? { ...m, target: source } : m));
      const container = await engine.start({ ...spec, mounts });
      const then = (text: string) => text.replaceAll(INSIDE, source);
      return {
        stop: (graceMs) => container.stop(graceMs),
        spawn: (s) =>
          container.spawn({
            ...s,
            args: s.args.map(then),
            env: { ...s.env, CLAUDE_CONFIG_DIR: source },
          }),
      };
    },
  };
}

/** Notes where in a container the folders of each run stood. */
function watched(engine: ContainerEngine, targets: string[]): ContainerEngine {
  return {
    ...engine,
    start: async (spec) => {
      targets.push(...spec.mounts.filter((m) => m.source.endsWith('/cli')).map((m) => m.target));
      return await engine.start(spec);
    },
  };
}

let c: TestConversation;
afterEach(async () => {
  await c.close();
});

for (const { name, engine, need, image } of testEngines()) {
  if (name !== 'bubblewrap' && name !== 'podman') continue;
  const reason = [need.reason, needs('cli').reason].filter((r) => r !== '').join('; ');

  describe.skipIf(reason !== '')(titleOf(`a conversation from before, in ${name}`, reason), () => {
    test('goes on with its whole history, and a file that it names is there to read and to write', async () => {
      c = await TestConversation.open(SCRIPT);
      const [fact, secret] = [`amber-${randomInt(1e9)}`, `vault-${randomInt(1e9)}`];
      writeFileSync(`${c.cwd}/secret.txt`, `${secret}\n`);
      const settings = { image };
      const seen: string[] = [];
      const before = await c.turn(`PLANT ${fact}`, { settings, engine: asItWas(engine, seen) });
      expect(before.outcome).toMatchObject({ kind: 'answered', continuity: 'fresh' });

      const targets: string[] = [];
      const after = await c.turn('READ it', { settings, engine: watched(engine, targets) });
      expect(after.outcome).toMatchObject({
        kind: 'answered',
        continuity: 'resumed',
        answer: `${secret}\n${INSIDE}`,
        verified: { sessionId: (await c.session()).id },
      });
      expect(after.history).toContain(fact);
      expect(targets).toEqual([INSIDE, seen[0]]);
      // The prompt that the CLI recorded is sent on, old path and all: the cached prefix stays what it was.
      expect(after.requests[0]!.sent.system).toBe(before.requests[0]!.sent.system);
      expect(await c.incidents()).toEqual([]);
    });
  });
}
