/**
 * The door to MCP servers of the operator. The service starts or reaches them, holds their secrets and shows a run their
 * tools; the container has neither a network nor a program nor a key of them.
 *
 * Contract:
 * - A run begins only if each server of its agent has what its `tools` name. Else `open` throws ToolsUnavailable.
 * - One connection for each dispatch and server: two conversations share no state of a server through us.
 * - Every call is audited, refused ones too; what cannot be recorded is not answered.
 * - A restricted run calls nothing, unless its agent's file allows that.
 * - Answers are bounded, pictures are decoded and written anew, and secrets of the configuration are taken out.
 */
import type { ToolServer } from '../agent-runner/tool-server.ts';
import type { AuditEntry } from '../audit.ts';
import type { McpServerSettings } from '../config/mcp-settings.ts';
import type { Log } from '../log.ts';

export interface McpDoorDeps {
  fetch: typeof fetch;
  /** every secret of the configuration, as of now */
  secrets: () => readonly string[];
  log: Log;
}

export interface McpRun {
  servers: readonly McpServerSettings[];
  /** names of tools as the agent's file takes them away: `mcp__<server>` or `mcp__<server>__<tool>` */
  disallowed: readonly string[];
  /** why nothing may be called, as of now; null = it may */
  restriction: () => string | null;
  audit: (entry: Pick<AuditEntry, 'door' | 'action' | 'decision' | 'reason' | 'detail'>) => Promise<void>;
  signal: AbortSignal;
}

export interface OpenMcp {
  servers: ToolServer[];
  /** ends what was started for this run; idempotent */
  close(): Promise<void>;
}

export interface McpDoor {
  /** throws ToolsUnavailable */
  open(run: McpRun): Promise<OpenMcp>;
}
