/**
 * The lists of the gateway, compared with what the real CLI sends for every agent we ship.
 *
 * After a change of the CLI: run this file. "is refused" names what the new CLI sends and the list has not: find out
 * what the model's side does with it, and add it to `allowed.ts` only if that is nothing but to read it. To try a CLI
 * before it is pinned: CLAUDE_HOOKS_TEST_CLI=<path of the binary>, see `test/support/tested-cli.ts`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigFolder } from '../../test/support/config-folder.ts';
import { TestConversation, type TurnOptions } from '../../test/support/conversation.ts';
import { Entries } from '../../test/support/entries-of-forms.ts';
import { patience } from '../../test/support/patience.ts';
import { startRealBlocks } from '../../test/support/real-blocks.ts';
import { type RecordedAtSocket, type Recorder, recorder } from '../../test/support/recorded-requests.ts';
import { needs } from '../../test/support/requirements.ts';
import { OTHER_CLI } from '../../test/support/tested-cli.ts';
import type { AgentTool } from '../agent-runner/run.ts';
import type { AgentConfig } from '../config/config.ts';
import { betasOf } from './admission.ts';
import { BETAS, BODY, KEPT_BACK_HEADERS, MARK, OUTWARD_HEADERS } from './allowed.ts';
import { inspect } from './inspection.ts';
import { takesEffort } from './model-words.ts';
import { SHORT_NAMES } from './models.ts';

const here = needs('cli', 'git', 'flock', 'proc');
const WHAT_TO_DO =
  'The CLI sends something else than the lists in src/gateway/allowed.ts have. Read the head of src/gateway/allowed.test.ts and follow it.';

/** What forms of requests differ by, one of each kind. */
const MODELS = ['claude-sonnet-4-5', 'claude-opus-5-5', 'claude-haiku-4-5'];

const SCRIPT = `
scenes:
  - name: helper
    when: { prompt: HELP ALONE }
    steps:
      - tools: [{ name: Bash, input: { command: 'echo help', description: help } }]
      - text: Helped.
  - name: work
    when: { prompt: DO IT ALL }
    steps:
      - tools: [{ name: Read, input: { file_path: '{{ cwd }}/picture.png' } }]
      - tools: [{ name: Read, input: { file_path: '{{ cwd }}/paper.pdf' } }]
      - tools: [{ name: Read, input: { file_path: '{{ cwd }}/long.txt' } }]
      - tools: [{ name: Bash, input: { command: 'exit 3', description: fail } }]
      - tools: [{ name: mcp__forge__read_item, input: { number: 1 } }]
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, subagent_type: general-purpose, run_in_background: false } }]
      - tools: [{ name: Agent, input: { description: help, prompt: HELP ALONE, subagent_type: fetcher, run_in_background: false } }]
      - tools: [{ name: WebSearch, input: { query: heron-7 } }]
      - tools: [{ name: WebFetch, input: { url: 'https://outside.example/heron-7', prompt: read } }]
      - tools: [{ name: ToolSearch, input: { query: 'select:CronList,WebSearch' } }]
      - text: Did it.
fallback: { text: Done. }
`;

const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PAPER =
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/MediaBox[0 0 99 99]/Parent 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n';
/** A repository may bring subagents along, and give them tools. */
const FETCHER =
  '---\nname: fetcher\ndescription: Fetches.\ntools: WebFetch, WebSearch, Bash\n---\nYou fetch.\n';

const READ_ITEM: AgentTool = {
  name: 'read_item',
  description: 'Reads the item.',
  input: { number: z.int().describe('its number'), detail: z.enum(['short', 'full']).optional() },
  readOnly: true,
  call: async () => ({ text: 'Nothing to see.', isError: false }),
};

function shippedAgents(): AgentConfig[] {
  using folder = new ConfigFolder();
  return [...folder.load().agents.values()];
}

interface Recording {
  agent: string;
  model: string;
  requests: RecordedAtSocket[];
  refused: number;
}

/**
 * A run with many tools, one that resumes with another effort, a compaction, and one on what it left. `short`: the
 * first, and the compaction, which resumes with that effort. What the other two add, more
 * history, depends on neither agent nor model, so one recording has all four; with FAULTS=all each has.
 */
async function record(agent: AgentConfig, model: string, form: 'whole' | 'short'): Promise<Recording> {
  const isWhole = form === 'whole' || process.env.FAULTS === 'all';
  const conversation = await TestConversation.open(SCRIPT);
  const tape = recorder();
  try {
    furnish(conversation.cwd);
    const turn = (prompt: string, effort: AgentConfig['effort'] = null) =>
      conversation.turn(prompt, {
        ...turnOptions(agent, model, tape),
        agent: { ...agentOf(agent, model), effort },
      });
    await turn('DO IT ALL');
    if (isWhole) await turn('And then?', 'high');
    await turn('/compact', isWhole ? null : 'high');
    if (isWhole) await turn('What is left?');
  } finally {
    await conversation.close();
  }
  const refused = tape.reports.reduce((sum, report) => sum + report.refused, 0);
  return { agent: agent.name, model, requests: tape.requests, refused };
}

function furnish(checkout: string): void {
  const lines = Array.from({ length: 1500 }, (_, n) => `line ${n} ${(n * 7919).toString(36).repeat(8)}`);
  writeFileSync(join(checkout, 'picture.png'), Buffer.from(PICTURE, 'base64'));
  writeFileSync(join(checkout, 'paper.pdf'), PAPER);
  writeFileSync(join(checkout, 'long.txt'), lines.join('\n'));
  mkdirSync(join(checkout, '.claude', 'agents'), { recursive: true });
  writeFileSync(join(checkout, '.claude', 'agents', 'fetcher.md'), FETCHER);
}

function turnOptions(agent: AgentConfig, model: string, tape: Recorder): TurnOptions {
  return { agent: agentOf(agent, model), tools: [READ_ITEM], gateway: tape.over };
}

function agentOf(agent: AgentConfig, model: string): NonNullable<TurnOptions['agent']> {
  const { tools, disallowedTools, permissionMode, instructions } = agent;
  return {
    model,
    tools: tools === null ? null : [...tools],
    disallowedTools: [...disallowedTools],
    permissionMode,
    instructions,
  };
}

describe.skipIf(!here.ok)(here.title('what the CLI sends'), () => {
  const recordings: Recording[] = [];
  const entries = new Entries(BODY);
  const seen = () => recordings.flatMap(({ requests }) => requests);
  const bodies = () => seen().map(({ body }) => JSON.parse(body.toString('utf8')));

  beforeAll(async () => {
    const [first, ...others] = shippedAgents();
    for (const [n, model] of MODELS.entries())
      recordings.push(await record(first!, model, n === 0 ? 'whole' : 'short'));
    for (const agent of others) recordings.push(await record(agent, agent.model, 'short'));
    recordings.push(await recordRealBlocks());
  }, patience(300_000));
  afterAll(() => {
    recordings.length = 0;
  });

  test('passes, all of it', () => {
    const refused = seen().filter(({ status }) => status !== 200);
    const why = refused.map(({ url, headers, body }) => {
      const inspected = inspect(body);
      return 'status' in inspected ? inspected.message : `${url} ${headers['anthropic-beta']}`;
    });
    expect(why, WHAT_TO_DO).toEqual([]);
    expect(recordings.filter(({ refused }) => refused > 0).map(({ agent, model }) => [agent, model])).toEqual(
      [],
    );
    expect(seen().length).toBeGreaterThan(40);
  });

  test('goes on byte for byte', () => {
    const changed = seen().filter(({ body }) => {
      const inspected = inspect(body);
      return 'status' in inspected || !inspected.body.equals(body);
    });
    expect(changed).toEqual([]);
  });

  test('is for these addresses', () => {
    expect(new Set(seen().map(({ method, url }) => `${method} ${url}`))).toEqual(
      new Set(['POST /v1/messages?beta=true', 'POST /v1/messages/count_tokens?beta=true']),
    );
  });

  test('has all that is on the list, but for what has its reason there', () => {
    for (const body of bodies()) entries.meet(body, BODY);
    const found = entries.all
      .filter((entry) => entries.wasMet(entry) || entries.couldBeMet(entry))
      .map((entry) => ({ ...entry, seen: entries.wasMet(entry) }));
    expect(unexplained(found), WHAT_TO_DO).toEqual([]);
  });

  test('has the betas and the headers of the lists, but for those that have their reason there', () => {
    const betas = new Set(seen().flatMap(({ headers }) => betasOf(headers)));
    expect(unexplained(listed(BETAS, betas)), WHAT_TO_DO).toEqual([]);
    const names = new Set(seen().flatMap(({ headers }) => Object.keys(headers)));
    expect(unexplained(listed({ ...OUTWARD_HEADERS, ...KEPT_BACK_HEADERS }, names)), WHAT_TO_DO).toEqual([]);
    const known = (name: string) => name in OUTWARD_HEADERS || name in KEPT_BACK_HEADERS;
    expect(
      [...names].filter((name) => !known(name)),
      WHAT_TO_DO,
    ).toEqual([]);
  });

  test('offers no tool that fetches what is outside, to no agent and to no subagent of a repository', () => {
    const sent = bodies();
    const names = new Set(sent.flatMap(({ tools = [] }) => tools.map((tool: { name: string }) => tool.name)));
    expect(names).toContain('Bash');
    expect(names).toContain('mcp__forge__read_item');
    expect([...names].filter((name) => /^Web(Search|Fetch)$/.test(name as string))).toEqual([]);
    const said = JSON.stringify(sent);
    expect(said).toContain('You fetch.');
    expect(said).toMatch(/No such tool available: WebSearch/);
    expect(said).toMatch(/No such tool available: WebFetch/);
    expect(said).toMatch(/No such tool available: ToolSearch/);
    expect(said).not.toMatch(/"tool_name":"WebSearch"/);
  });

  test('was as rich as the agents make it', () => {
    const said = seen().map(({ body }) => body.toString('utf8'));
    for (const part of ['"media_type":"image/png"', '"application/pdf"', '"is_error":true']) {
      expect(said.filter((body) => body.includes(part)).length, part).toBeGreaterThan(0);
    }
    expect(said.some((body) => body.includes('Your task is to create a detailed summary'))).toBe(true);
  });
});

const EFFORT = 'Correct EFFORTLESS in src/gateway/model-words.ts.';

test.skipIf(!here.ok)(
  'the CLI takes its short names for the models that bound their price, and effort for those that take one',
  async () => {
    const conversation = await TestConversation.open('{ fallback: { text: Done. } }');
    const tape = recorder();
    try {
      const meant: Record<string, string> = {};
      const ask = async (model: string): Promise<{ model: string; output_config?: { effort?: string } }> => {
        const options = {
          agent: { model, effort: 'low' as const },
          policy: 'fresh' as const,
          gateway: tape.over,
        };
        await conversation.turn('Hello.', options);
        return JSON.parse(tape.requests.at(-1)!.body.toString('utf8'));
      };
      for (const name of Object.keys(SHORT_NAMES)) {
        const asked = await ask(name);
        meant[name] = asked.model;
        expect([name, asked.output_config?.effort]).toEqual([name, 'low']);
      }
      for (const model of ['claude-sonnet-4-5', 'claude-haiku-4-5']) {
        const { output_config } = await ask(model);
        expect([model, output_config?.effort === 'low'], EFFORT).toEqual([model, takesEffort(model)]);
      }
      expect(meant, 'Write what the CLI makes of them into SHORT_NAMES in src/gateway/models.ts.').toEqual({
        ...SHORT_NAMES,
        opusplan: 'claude-sonnet-5-5',
      });
    } finally {
      await conversation.close();
    }
  },
);

/** Entries that are not seen and have no reason; on the pinned CLI also those that have one and are seen. */
function unexplained(found: { name: string; seen: boolean; why: string | null }[]): string[] {
  if (OTHER_CLI !== null) return [];
  return found.flatMap(({ name, seen, why }) => {
    if (!seen && why === null)
      return [`${name}: on the list, and not sent. Take it off, or give it a reason.`];
    // Where its marks of the cache stand differs from run to run.
    return seen && why !== null && why !== MARK ? [`${name}: is sent. Take its reason away: "${why}"`] : [];
  });
}

function listed(list: Readonly<Record<string, string | null>>, sent: ReadonlySet<string>) {
  return Object.entries(list).map(([name, why]) => ({ name, seen: sent.has(name), why }));
}

/** What a real model says comes back with the next request. */
async function recordRealBlocks(): Promise<Recording> {
  const agent = shippedAgents()[0]!;
  const conversation = await TestConversation.open(SCRIPT);
  const tape = recorder();
  const upstream = await startRealBlocks();
  try {
    const { outcome } = await conversation.turn('Look.', {
      ...turnOptions(agent, 'claude-sonnet-4-5', tape),
      upstream: upstream.url,
    });
    expect(outcome).toMatchObject({ kind: 'answered', answer: 'Looked.' });
  } finally {
    upstream.close();
    await conversation.close();
  }
  const refused = tape.reports.reduce((sum, report) => sum + report.refused, 0);
  return { agent: agent.name, model: 'blocks of a real model', requests: tape.requests, refused };
}
