/** What a run is given and what it answers with. */
import type { z } from 'zod';
import type { ContainerEngine } from '../container/container.ts';
import type { PlaceRequest } from '../container/place.ts';
import type { Database } from '../database/database.ts';
import type { Gateway, GatewayCaps } from '../gateway/port.ts';
import type { Log } from '../log.ts';
import type { CliFolders } from '../sessions/folders.ts';
import type { CapReason, Continuity } from '../vocabulary.ts';
import type { PromptPicture, SteeredRun } from './live-input.ts';
import type { ToolServer } from './tool-server.ts';
import type { BackgroundTask } from './turns.ts';

/** `full` explains everything, `short` continues. */
export type PromptForm = 'full' | 'short';

/**
 * How much of people's texts a prompt has. `whole`: as its budget allows, and pictures; `plain`: the same without pictures;
 * `small`: their first words; `aside`: only that there are texts, for a model that does not take them.
 */
export type PromptTexts = 'whole' | 'plain' | 'small' | 'aside';

export interface AgentOptions {
  model: string;
  effort: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;
  tools: string[] | null;
  disallowedTools: string[];
  maxTurns: number | null;
  permissionMode: 'default' | 'acceptEdits' | 'bypassPermissions' | 'plan' | 'dontAsk';
  /** appended to Claude Code's own system prompt; recorded by the CLI at the first run and kept */
  instructions: string;
}

/** A tool that runs in the worker; the CLI knows it as `mcp__forge__<name>`. */
export interface AgentTool {
  name: string;
  /** for the model: what it does, what it refuses */
  description: string;
  input: z.ZodRawShape;
  readOnly: boolean;
  /** never throws; `toolUseId` is the model's own id of this call */
  call(input: unknown, call: { toolUseId: string }): Promise<{ text: string; isError: boolean }>;
}

export interface DispatchRun {
  id: string;
  conversationId: string;
  agentName: string;
  agent: AgentOptions;
  /** `fresh` starts a new session for every dispatch, on purpose */
  policy: 'resume' | 'fresh';
  /** the checkout, on this machine */
  cwd: string;
  /** the only instruction files that the CLI may load, relative to the checkout; null = whatever is there */
  instructions: readonly string[] | null;
  folders: CliFolders;
  /** what the container of this agent has and may */
  container: Pick<PlaceRequest, 'settings' | 'relay' | 'caches' | 'layers' | 'checkoutName' | 'doors'>;
  tools: AgentTool[];
  /** MCP servers that the service holds */
  servers?: readonly ToolServer[];
  caps: GatewayCaps;
  /** an earlier attempt of this dispatch may have begun to work */
  retried: boolean;
  /** that attempt had work in the background when it ended: what it said last was not its answer */
  unfinished: boolean;
  /** the agent has answered in this dispatch and is asked one thing more, so it is not told that it was cut off */
  followUp?: boolean;
  prompt(form: PromptForm, texts: PromptTexts): string;
  /** the pictures that this prompt speaks of; they are sent after its text */
  pictures?(form: PromptForm, texts: PromptTexts): readonly PromptPicture[];
  /** commits prompt, session and continuity to the dispatch's row before the CLI is spawned */
  announce(start: {
    sessionId: string;
    continuity: Continuity;
    prompt: string;
    /** null: no prompt is sent, because the answer is in the transcript already */
    form: PromptForm | null;
    history: number;
  }): Promise<void>;
  /** commits what the run has left in the background, before its answer is heard */
  background(tasks: readonly BackgroundTask[]): Promise<void>;
  /** hands in what people say while the run is under way; called for each attempt. Absent: nothing is handed in */
  steer?: ((run: SteeredRun) => { stop(): Promise<void> }) | undefined;
  /** why the session may not change steering files, as of now; null = it may. Ask after `announce` */
  marked: () => string | null;
  /** aborts with a string reason: the lease was lost, or the service is stopping */
  signal: AbortSignal;
}

export interface RunnerDeps {
  database: Database;
  engine: ContainerEngine;
  gateway: Gateway;
  log: Log;
  now: () => number;
  /** names the installation in the environment of its processes */
  instance: string;
  /** `small`: for side tasks of the CLI; null = the CLI chooses */
  model: { retries: number; idleSeconds: number; small: string | null };
  path: string;
  /** absolute path, on this machine, of the CLI that fits this image; null = no image */
  cli: (image: string | null) => Promise<string>;
  /** the forwarder's script for a CLI that ignores the socket; null = the CLI uses it. Throws when neither works */
  forwarder: (cli: string) => Promise<string | null>;
  sessions: {
    archive: boolean;
    flushMs: number;
    maxFailedResumes: number;
    lateMessagesMs: number;
    backgroundMs: number;
  };
}

/** The proof that a session can be resumed, to be committed together with the answer. */
export interface VerifiedHead {
  sessionId: string;
  head: string;
  size: number;
  cliVersion: string | null;
}

export interface RunFacts {
  sessionId: string;
  continuity: Continuity;
  reason: string;
  /** null: the transcript could not be verified; the session is already abandoned and the incident recorded */
  verified: VerifiedHead | null;
  turns: number;
  /** ids of what was handed in and stands in the transcript; null = the transcript could not be read */
  heard: readonly string[] | null;
  usage: unknown;
  /** the model of the last answer, and of the last answer before this run if it was another; null = not known */
  model: { name: string | null; former: string | null };
}

export type RunOutcome =
  /** `aside`: why the texts that woke the agent were not in the prompt; null = they were */
  | ({
      kind: 'answered';
      answer: string;
      adopted: boolean;
      aside: string | null;
      /** still ran in the background when the run was cut for it */
      leftBehind: readonly BackgroundTask[];
    } & RunFacts)
  | ({ kind: 'capped'; why: CapReason } & RunFacts)
  /**
   * `until`: unix ms the model's side named, or null; `retryMs`: the longest wait it asked for in this run; `model`: the
   * only one that the limit holds, null = all
   */
  | {
      kind: 'limited';
      why: string;
      until: number | null;
      retryMs: number;
      status: number;
      model: string | null;
    }
  /** `outage`: the model's side is away; wait as long as it takes */
  | { kind: 'transient'; why: string; outage: boolean }
  /** the model does not take these texts; the session is as it was before them */
  | { kind: 'declined'; reason: string }
  /** the scope of a spent budget is held; the session goes on when that ends */
  | { kind: 'out-of-budget'; why: string }
  | { kind: 'interrupted'; why: string }
  /** no rung is left, and a person must look. `suspectsText`: the session was kept, and the texts may be the cause */
  | { kind: 'refused'; reason: string; cause: 'request' | 'session'; suspectsText: boolean };
