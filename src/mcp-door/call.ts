/** One call of a tool at the door: allowed or not, counted, made, shown, audited. Never throws. */
import type { ServedTool, ToolBlock } from '../agent-runner/tool-server.ts';
import { shownAnswer } from './answer.ts';
import type { McpConnection } from './connection.ts';
import type { ListedTool } from './offer.ts';
import type { McpDoorDeps, McpRun } from './port.ts';

export interface Behind {
  connection: McpConnection;
  run: McpRun;
  deps: McpDoorDeps;
  /** false: the calls of this dispatch are used up */
  count: () => boolean;
}

interface Verdict {
  decision: 'allowed' | 'denied' | 'failed';
  /** for the audit: why, in one word */
  verdict: string;
  content: ToolBlock[];
  isError: boolean;
  detail?: Record<string, unknown>;
}

export function servedTool(tool: ListedTool, behind: Behind): ServedTool {
  const { connection, run } = behind;
  return {
    ...tool,
    async call(input, { toolUseId, signal }) {
      const begun = performance.now();
      const verdict = await decide(tool, behind, { input, signal }).catch(ourFault);
      const { decision, content, isError } = verdict;
      try {
        await run.audit({
          door: 'mcp',
          action: `${connection.settings.name} ${tool.name}`,
          decision,
          reason: decision === 'allowed' ? null : textOf(content).slice(0, 500),
          detail: {
            toolUseId: toolUseId.slice(0, 128),
            verdict: verdict.verdict,
            milliseconds: Math.round(performance.now() - begun),
            asked: JSON.stringify(input).length,
            ...verdict.detail,
          },
        });
      } catch {
        return said('The call could not be recorded, so its answer is withheld. Try again later.');
      }
      return { content, isError };
    },
  };
}

async function decide(
  tool: ListedTool,
  { connection, run, deps, count }: Behind,
  { input, signal }: { input: Record<string, unknown>; signal: AbortSignal },
): Promise<Verdict> {
  const restriction = run.restriction();
  // guard: mcp: shut for a restricted run
  if (restriction !== null) {
    return denied(
      'restricted',
      `This run may not call tools of MCP servers: ${restriction}. Say in your final answer what should be done there.`,
    );
  }
  // guard: mcp: calls of a dispatch
  if (!count()) {
    const { name, calls } = connection.settings;
    return denied(
      'too-many',
      `This run has made all of its ${calls} calls of ${name} (mcp_servers.${name}.calls). Go on without it.`,
    );
  }
  const outcome = await connection.call(tool.name, input, AbortSignal.any([signal, run.signal]));
  if (outcome.kind === 'failed') {
    return { decision: 'failed', verdict: outcome.cause, ...said(outcome.why) };
  }
  const { content, isError, characters, pictures } = await shownAnswer(outcome.result, {
    characters: connection.settings.resultCharacters,
    secrets: deps.secrets(),
  });
  return {
    decision: 'allowed',
    verdict: isError ? 'error' : 'answered',
    content,
    isError,
    detail: { characters, pictures },
  };
}

function denied(verdict: string, why: string): Verdict {
  return { decision: 'denied', verdict, ...said(why) };
}

function ourFault(error: unknown): Verdict {
  const why = error instanceof Error ? error.message : String(error);
  return {
    decision: 'failed',
    verdict: 'ours',
    ...said(`claude-hooks failed: ${why.slice(0, 300)} Go on without this call.`),
  };
}

function said(text: string): { content: ToolBlock[]; isError: true } {
  return { content: [{ type: 'text', text }], isError: true };
}

function textOf(content: readonly ToolBlock[]): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join(' ');
}
