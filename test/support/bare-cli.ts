/** The CLI as a naive service would use it: the last session id it names is kept and handed back. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { query } from '@anthropic-ai/claude-agent-sdk';
import { cliEnvironment } from '../../src/agent-runner/environment.ts';
import type { TestConversation } from './conversation.ts';

export interface BareRun {
  prompt: string;
  resume?: string;
  sessionId?: string;
  /** default: one shared by all runs of the test */
  config?: string;
  cwd?: string;
  /** wraps the command line, e.g. with a mount namespace */
  wrap?: (command: string, args: string[]) => [string, string[]];
  env?: Record<string, string>;
}

export interface BareResult {
  initId: string | null;
  /** the id a naive service would store: the last one any message carried */
  lastId: string | null;
  subtype: string | null;
  isError: boolean;
  errors: string[];
  answer: string;
}

export async function bareCli(c: TestConversation, run: BareRun): Promise<BareResult> {
  const config = run.config ?? join(c.folder, 'bare');
  mkdirSync(config, { recursive: true });
  const result: BareResult = {
    initId: null,
    lastId: null,
    subtype: null,
    isError: false,
    errors: [],
    answer: '',
  };
  const { spawn } = await import('node:child_process');
  try {
    for await (const message of query({
      prompt: run.prompt,
      options: {
        ...(run.resume === undefined ? {} : { resume: run.resume }),
        ...(run.sessionId === undefined ? {} : { sessionId: run.sessionId }),
        cwd: run.cwd ?? c.cwd,
        model: 'claude-sonnet-4-5',
        permissionMode: 'bypassPermissions',
        allowDangerouslySkipPermissions: true,
        settingSources: [],
        env: {
          ...cliEnvironment({
            place: {
              config,
              home: join(c.folder, 'home'),
              temporary: c.folder,
              path: process.env.PATH!,
              socket: '',
              forwarder: null,
              doors: null,
            },
            modelRetries: 0,
            modelIdleSeconds: 120,
            root: process.getuid?.() === 0,
          }),
          // Straight to the model: what these tests show is the CLI's own, without a gateway of ours.
          ANTHROPIC_UNIX_SOCKET: undefined,
          ANTHROPIC_BASE_URL: c.model.url,
          ANTHROPIC_API_KEY: 'sk-ant-test',
          ...run.env,
        },
        spawnClaudeCodeProcess: (s) => {
          const [command, args] = run.wrap?.(s.command, s.args) ?? [s.command, s.args];
          return spawn(command, args, {
            env: s.env as NodeJS.ProcessEnv,
            cwd: s.cwd,
            stdio: ['pipe', 'pipe', 'ignore'],
          });
        },
      },
    })) {
      if ('session_id' in message && typeof message.session_id === 'string')
        result.lastId = message.session_id;
      if (message.type === 'system' && message.subtype === 'init') result.initId = message.session_id;
      if (message.type === 'result') {
        result.subtype = message.subtype;
        result.isError = message.is_error;
        result.answer = message.subtype === 'success' ? message.result : '';
        result.errors = message.subtype === 'success' ? [] : message.errors;
      }
    }
  } catch {
    // The SDK throws after an error result; what it said stands in the result.
  }
  return result;
}
