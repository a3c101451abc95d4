/** The forge tools of one run: typed, limited to its conversation, counted, audited, and each write done once. */
import { callTool } from './broker/call.ts';
import type { BrokerScope, ForgeTools } from './broker/scope.ts';
import { type Broker, Denied, type Tool } from './broker/tool.ts';
import { CI_TOOLS } from './broker/tools-ci.ts';
import { COMMENT_TOOLS } from './broker/tools-comment.ts';
import { ISSUE_TOOLS } from './broker/tools-issue.ts';
import { MARK_TOOLS } from './broker/tools-marks.ts';
import { MERGE_TOOLS } from './broker/tools-merge.ts';
import { PICTURE_TOOLS } from './broker/tools-picture.ts';
import { PULL_TOOLS } from './broker/tools-pull.ts';
import { READ_TOOLS } from './broker/tools-read.ts';
import { REVIEW_TOOLS } from './broker/tools-review.ts';
import { TIMER_TOOLS } from './broker/tools-timer.ts';
import { sameLogin } from './logins.ts';
import { Mutex } from './mutex.ts';
import type { ForgeUser } from './vocabulary.ts';

const TOOLS: readonly Tool[] = [
  ...READ_TOOLS,
  ...CI_TOOLS,
  ...COMMENT_TOOLS,
  ...MARK_TOOLS,
  ...PULL_TOOLS,
  ...REVIEW_TOOLS,
  ...MERGE_TOOLS,
  ...ISSUE_TOOLS,
  ...TIMER_TOOLS,
  ...PICTURE_TOOLS,
];

/** Their short names; `vocabulary.ts` has them for the check of `forge_tools`. */
export const FORGE_TOOL_NAMES: readonly string[] = TOOLS.map(({ name }) => name);

/**
 * What a restricted run may not do is refused when it is called, not left out: the list of tools comes first in what
 * the model is sent, so another list would throw away the cache of the whole conversation.
 */
export const forgeTools: ForgeTools = (scope, deps) => {
  let known: Promise<ForgeUser> | null = null;
  const self = async (): Promise<ForgeUser> => {
    known ??= deps.forge.self();
    try {
      const user = await known;
      if (sameLogin(user.login, scope.login)) return user;
    } catch (error) {
      known = null;
      throw error;
    }
    throw new Denied(
      'The token in use is not the account of this agent. The operator must run `claude-hooks doctor`.',
    );
  };
  const broker: Broker = {
    scope,
    deps,
    self,
    jobs: new Map(),
    async believed(authors) {
      const strangers = await deps.strangers(authors);
      const ids = authors.filter(({ login }) => !strangers.includes(login)).map(({ id }) => id);
      return { ids: new Set(ids), writers: deps.writers };
    },
  };
  // Writes of one run never overlap: two calls at once under one id would both find nothing done yet.
  const writes = new Mutex();
  return TOOLS.filter(offered(scope)).map((tool) => ({
    name: tool.name,
    description: tool.description,
    input: tool.input.shape,
    readOnly: tool.kind === 'read',
    async call(input, { toolUseId }) {
      const work = async () => await callTool(tool, broker, { input, toolUseId });
      return tool.kind === 'read' ? await work() : await writes.hold(work);
    },
  }));
};

/** By the configuration alone, so that the list is the same in every run of a conversation. */
function offered({ tools, scope }: BrokerScope): (tool: Tool) => boolean {
  if (tools !== null) return ({ name }) => tools.includes(name);
  return ({ name }) => name !== 'merge' && (name !== 'create_issue' || scope === 'repository');
}
