/** The option table of an agent's front matter: Claude Code's own keys, then ours. */
import { z } from 'zod';
import { MORE_TOOLS, USUAL_TOOLS } from '../vocabulary.ts';
import { agentContainerOptions } from './container-options.ts';
import { NAME_PATTERN } from './option-kinds.ts';

const tools = (description: string) =>
  z
    .union([z.string(), z.array(z.string().min(1))])
    .optional()
    .meta({ description, 'x-expects': 'a list of tool names, or one text with commas' });

const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

const wait = (description: string) => z.int().min(0).max(86_400).optional().meta({ description });

const cap = (description: string) => z.int().min(1).optional().meta({ description });

// The same as git's rules for branch names, without the rare characters that git would allow.
const BRANCH_PREFIX = /^[A-Za-z0-9][A-Za-z0-9_-]*(\/[A-Za-z0-9][A-Za-z0-9_-]*)*$/;

export const agentOptions = z.strictObject({
  name: z.string().regex(NAME_PATTERN).optional().meta({
    description: 'The name of the file without `.md`.',
    'x-expects': 'lower-case letters, digits and dashes',
  }),
  description: z.string().min(1).meta({ description: 'What the agent is for, in one sentence.' }),
  tools: tools(
    `Tools of the CLI that it has. Without it: ${listed(USUAL_TOOLS)}. There are besides: ${listed(MORE_TOOLS)}.`,
  ),
  disallowed_tools: tools('Tools taken away from it.'),
  model: z.string().min(1).optional().meta({
    description: 'Model it runs on. Without it, or with `inherit`: `model.default`.',
  }),
  color: z.string().optional().meta({ description: 'Accepted for Claude Code, not used.' }),
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional().meta({
    description: "How much it thinks. Without it: the model's default.",
  }),
  max_turns: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({ description: 'Turns after which a run is stopped.' }),
  permission_mode: z
    .enum(['bypassPermissions', 'acceptEdits', 'dontAsk', 'plan', 'default'])
    .default('bypassPermissions')
    .meta({
      description:
        'Permission mode of the CLI. Nobody is there to answer its questions, so the container is the limit and the default asks nothing; `dontAsk` refuses whatever is not allowed by rule.',
    }),
  resume: z.enum(['resume', 'fresh']).default('resume').meta({
    description:
      '`resume` continues the session of the conversation; `fresh` starts a new one for every dispatch.',
  }),
  branch_prefix: z.string().regex(BRANCH_PREFIX).optional().meta({
    description: "First part of its branches' names. Without it: the agent's name.",
    'x-expects': 'letters, digits, dashes and slashes, as in a branch name',
  }),
  publish: z.enum(['pull-request', 'review', 'comment']).default('comment').meta({
    description:
      'What becomes of its work. `pull-request`: commits are pushed and a pull request is opened; `review`: the final answer is submitted as a review; `comment`: it is posted on the item.',
  }),
  review_labels: z.array(z.string().min(1)).default([]).meta({
    description:
      'For `publish: review`: it reviews pull requests that have one of these labels, or close an issue that has one. Without them: all.',
    'x-expects': 'a list of labels',
  }),
  concurrency: z
    .int()
    .min(1)
    .max(256)
    .default(2)
    .meta({ description: 'Dispatches of this agent that run at once.' }),
  forge_tools: tools(
    'Tools of the forge (`mcp__forge__…`) it may use, by their short names. Without it: all but `merge`; `[]` = none.',
  ),
  forge_scope: z.enum(['item', 'repository']).default('item').meta({
    description:
      "Where its forge tools may write: the conversation's own item, or any item of the repository.",
  }),
  max_forge_writes: z
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .meta({ description: 'Writes through forge tools in one dispatch, before they are refused.' }),
  workflow_files: z.boolean().default(false).meta({
    description:
      'Whether it may push changes of [files that CI runs](protected-files.md), with secrets of the forge.',
  }),
  network_in_restricted_runs: z.boolean().default(false).meta({
    description:
      'Whether it keeps the hosts of `container.network.allow` in a session that has read words of people who may not give it work. What such words make it send cannot be told from work.',
  }),
  mcp_servers: z.array(z.string().regex(NAME_PATTERN)).optional().meta({
    description:
      'MCP servers of `claude-hooks.yaml` that it has, by name; their tools are `mcp__<server>__<tool>`. [More](mcp-servers.md).',
    'x-expects': 'a list of names',
  }),
  mcp_in_restricted_runs: z.boolean().default(false).meta({
    description:
      'Whether it may call tools of MCP servers in a session that has read words of people who may not give it work. What such words make it do there cannot be told from work.',
  }),
  max_run_requests: cap('Requests to the model in one dispatch.'),
  max_run_tokens: cap('New input and output tokens of one dispatch; cache reads are not counted.'),
  max_run_usd: z
    .number()
    .positive()
    .optional()
    .meta({ description: 'US dollars of one dispatch, by the published prices.' }),
  container: agentContainerOptions,
  quiet_seconds: z
    .number()
    .min(0)
    .max(86_400)
    .optional()
    .meta({ description: 'Overrides `mailbox.quiet_seconds`.' }),
  max_wait_seconds: wait('Overrides `mailbox.max_wait_seconds`.'),
});

export type AgentOptions = z.output<typeof agentOptions>;

/** Claude Code spells these keys in camel case. */
export const CLAUDE_CODE_KEYS: Readonly<Record<string, string>> = {
  disallowedTools: 'disallowed_tools',
  permissionMode: 'permission_mode',
  maxTurns: 'max_turns',
};
