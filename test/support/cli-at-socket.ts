/** The real CLI through the real SDK, with the model behind a unix socket, in a home of its own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Options, query, type SDKMessage, type SDKResultMessage } from '@anthropic-ai/claude-agent-sdk';
import { OTHER_CLI } from './tested-cli.ts';

/** The placeholder for a key inside. The model must never see it. */
export const PLACEHOLDER = 'sk-ant-placeholder-inside';

export interface CliSeen {
  session: string;
  /** statuses after which the CLI itself asked again */
  retries: (number | null)[];
  result: SDKResultMessage | null;
  thrown: string | null;
  /** everything the CLI said, as JSON */
  said: string;
}

export async function runAtSocket(o: {
  home: string;
  socket: string;
  prompt: string;
  options?: Partial<Options>;
  env?: Record<string, string | undefined>;
  heard?: (message: SDKMessage) => void;
}): Promise<CliSeen> {
  const tree = join(o.home, 'tree');
  mkdirSync(tree, { recursive: true });
  const seen: CliSeen = { session: '', retries: [], result: null, thrown: null, said: '' };
  const options: Options = {
    cwd: tree,
    env: {
      PATH: process.env.PATH,
      HOME: o.home,
      CLAUDE_CONFIG_DIR: join(o.home, 'config'),
      ANTHROPIC_UNIX_SOCKET: o.socket,
      ANTHROPIC_BASE_URL: 'http://localhost',
      ANTHROPIC_API_KEY: PLACEHOLDER,
      CLAUDE_CODE_MAX_RETRIES: '2',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      ENABLE_TOOL_SEARCH: 'false',
      DISABLE_AUTOUPDATER: '1',
      IS_SANDBOX: '1',
      ...o.env,
    },
    model: 'claude-opus-5-5',
    tools: ['Bash', 'Read', 'Write'],
    ...(OTHER_CLI === null ? {} : { pathToClaudeCodeExecutable: OTHER_CLI }),
    settingSources: [],
    permissionMode: 'bypassPermissions',
    allowDangerouslySkipPermissions: true,
    stderr: (text) => {
      seen.said += text;
    },
    ...o.options,
  };
  try {
    for await (const message of query({ prompt: o.prompt, options })) {
      seen.said += JSON.stringify(message);
      o.heard?.(message);
      if (message.type === 'system' && message.subtype === 'init') seen.session = message.session_id;
      if (message.type === 'system' && message.subtype === 'api_retry')
        seen.retries.push(message.error_status);
      if (message.type === 'result') seen.result = message;
    }
  } catch (error) {
    seen.thrown = String(error);
  }
  return seen;
}
