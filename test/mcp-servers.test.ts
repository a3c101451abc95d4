/**
 * MCP servers of the operator through the whole service: the real CLI in a container without a network calls a program and
 * an HTTP server that stand outside, and finds no secret of theirs inside.
 */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { testEngines } from './support/engines.ts';
import { serveSample, stdioSample } from './support/mcp-sample.ts';
import { needs, titleOf } from './support/requirements.ts';
import { plainPicture } from './support/sample-pictures.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY } from './support/service-config.ts';

const PROGRAM_SECRET = 'secret-of-the-program-0815';
const HTTP_SECRET = 'secret-of-the-address-4711';
const here = needs('cli', 'git', 'flock', 'proc');
const engine = testEngines().find(({ name }) => name === 'bubblewrap')!;
const reason = [engine.need.reason, here.reason].filter((r) => r !== '').join('; ');

let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

interface Config {
  mcp_servers: { far: { tools: string[] } };
}

const AGENT = [
  '---',
  'name: dev',
  'description: Draws.',
  'mcp_servers: [board, far]',
  '---',
  'You draw.',
].join('\n');

/**
 * Whatever the agent can read: its environment and those of all processes, command lines, and every file it may open. Left
 * out are programs, which are those of this machine, and the file that the search itself writes to.
 */
const LEFT_OUT = ['proc', 'sys', 'usr', 'dev', 'results'].map((name) => `--exclude-dir=${name}`).join(' ');
const SEARCH = [
  // The bracket in the pattern keeps the search from finding its own command line.
  `{ env; cat /proc/*/environ /proc/*/cmdline; } 2>/dev/null | tr '\\0' '\\n' | grep -ac "secret-of-th[e]" || true`,
  `grep -rlsa ${LEFT_OUT} --exclude=claude "secret-of-th[e]" / 2>/dev/null || echo "no file"`,
].join('; ');

describe.skipIf(reason !== '')(titleOf('MCP servers of the operator', reason), () => {
  test('work from inside a container that knows neither their secrets nor their places', async () => {
    const picture = (await plainPicture({ format: 'png', width: 40, height: 30 })).toString('base64');
    const http = await serveSample({ token: HTTP_SECRET, secret: HTTP_SECRET, picture });
    const program = stdioSample();
    stage = await Stage.open({
      model: JSON.stringify({
        scenes: [
          {
            name: 'draw',
            when: { prompt: 'assigned this to you' },
            steps: [
              { tools: [{ name: 'mcp__board__sum', input: { list: [40, 2] } }] },
              {
                tools: [
                  { name: 'mcp__far__picture', input: {} },
                  { name: 'mcp__far__tell', input: {} },
                  { name: 'mcp__far__words', input: {} },
                ],
              },
              { tools: [{ name: 'Bash', input: { command: SEARCH, description: 'look around' } }] },
              { text: 'Drawn.' },
            ],
          },
        ],
      }),
      files: { 'agents/dev.md': AGENT },
      config: {
        container: { engine: 'bubblewrap' },
        mcp_servers: {
          board: {
            command: program.command,
            environment: { SAMPLE_SECRET: '${BOARD_SECRET}' },
            tools: ['sum'],
          },
          far: { url: http.url, token: '${FAR_TOKEN}', tools: ['picture', 'tell', 'words'] },
        },
      },
    });
    Object.assign(stage.extraEnv, { BOARD_SECRET: PROGRAM_SECRET, FAR_TOKEN: HTTP_SECRET });
    await stage.start();
    await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'Draw it', body: 'Please.' });
    await stage.forge.as(OWNER).assign(REPOSITORY, 1, [DEV]);
    await stage.settled();

    const last = stage.turns.at(-1)!;
    expect(last.tools).toEqual(
      expect.arrayContaining(['mcp__board__sum', 'mcp__far__picture', 'mcp__far__tell']),
    );
    expect(last.tools).not.toContain('mcp__board__tell');
    const results = last.messages
      .flatMap(({ content }) => (Array.isArray(content) ? content : []))
      .filter(({ type }) => type === 'tool_result')
      .map((block) => JSON.stringify(block));
    expect(results[0]).toContain('42');
    expect(results[1]).toMatch(/"type":"image".*"media_type":"image\/png"/);
    expect(results[2]).toContain('The secret is [secret], really.');
    expect(results[3]).toContain('Three boards.');
    expect(results[3]).not.toContain('found');
    expect(results[4]).toMatch(/"0\\nno file/);
    expect(stage.forge.state.comments.map(({ body }) => body)).toEqual([expect.stringContaining('Drawn.')]);
    const audit = await stage.rows
      .selectFrom('audit')
      .select(['action', 'decision', 'agent'])
      .where('door', '=', 'mcp')
      .execute();
    expect(audit.map(({ action, decision, agent }) => `${agent} ${action} ${decision}`).toSorted()).toEqual([
      'dev board sum allowed',
      'dev far picture allowed',
      'dev far tell allowed',
      'dev far words allowed',
    ]);
    expect(stage.logged.join('\n')).not.toMatch(/secret-of-the/);

    // The server loses a tool that its agent must have: the next dispatch does not begin, and people are told why.
    const before = stage.turns.length;
    const config = JSON.parse(readFileSync(stage.configFile, 'utf8')) as Config;
    config.mcp_servers.far.tools.push('unheard_of');
    stage.write({ 'claude-hooks.yaml': JSON.stringify(config) });
    await stage.untilLogged('configuration reloaded');
    await stage.forge.as(OWNER).comment(REPOSITORY, 1, 'Once more, please.');
    await stage.settled();
    expect(stage.turns.length).toBe(before);
    expect(stage.forge.state.comments.at(-1)!.body).toContain(
      'I could not run: an MCP server that I need does not answer, or lacks a tool that I must have.',
    );
    const refused = (await stage.dispatches()).at(-1);
    expect(refused).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('does not have unheard_of'),
    });
  });
});
