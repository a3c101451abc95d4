/** One call of a tool: understood, allowed or not, counted, done once, audited, answered. Never throws. */
import { z } from 'zod';
import { ForgeMissing, ForgeRefused, ForgeUnavailable, LeaseLost } from '../errors.ts';
import { effectKey, FORGED, isForged, marker, once } from '../outcome/effects.ts';
import { callsOf, earlierCall } from './earlier-calls.ts';
import type { Spoken } from './scope.ts';
import { filesOf } from './spoken.ts';
import { type Act, type Broker, Denied, DeniedUnread, type Done, type Tool, type WriteTool } from './tool.ts';

export interface CallAnswer {
  text: string;
  isError: boolean;
}

interface Verdict {
  decision: 'allowed' | 'denied' | 'failed';
  text: string;
}

/**
 * The model makes up the ids of its calls, and a process in the container can pose as the model. An id that reads like a
 * kind of effect, or that ends our hidden mark, would be taken for something else, so only these characters are allowed.
 */
const TOOL_USE_ID = /^[A-Za-z0-9_-]{10,128}$/;

export async function callTool(
  tool: Tool,
  broker: Broker,
  call: { input: unknown; toolUseId: string },
): Promise<CallAnswer> {
  const verdict = await decide(tool, broker, call);
  try {
    await broker.deps.audit({
      door: 'forge',
      action: tool.name,
      decision: verdict.decision,
      reason: verdict.decision === 'allowed' ? null : verdict.text.slice(0, 500),
      detail: { toolUseId: call.toolUseId.slice(0, 128), ...small(call.input) },
    });
  } catch {
    return {
      text: 'The call could not be recorded, so its answer is withheld. Try again later.',
      isError: true,
    };
  }
  return { text: verdict.text, isError: verdict.decision !== 'allowed' };
}

async function decide(
  tool: Tool,
  broker: Broker,
  { input, toolUseId }: { input: unknown; toolUseId: string },
): Promise<Verdict> {
  const parsed = tool.input.safeParse(input);
  if (!parsed.success) return denied(`${z.prettifyError(parsed.error)}\nCorrect the input and call again.`);
  try {
    if (tool.kind === 'read') {
      const { text, words } = await tool.read(parsed.data, broker);
      // guard: marks: what a tool shows
      await broker.deps.marks.show(sourceOf(tool), words);
      return { decision: 'allowed', text };
    }
    if (!TOOL_USE_ID.test(toolUseId)) return denied('The call carries no usable id. Call the tool again.');
    return await write(tool, broker, { input: parsed.data, toolUseId });
  } catch (error) {
    return await refusal(tool, broker, { input: parsed.data, error });
  }
}

function sourceOf(tool: Tool): string {
  return `tool ${tool.name}`;
}

/**
 * A refusal can contain words of others: names of files that conflict or of jobs that failed, or a title in the forge's
 * sentence. So it counts as written by the author of the item that the call names.
 */
async function refusal(
  tool: Tool,
  broker: Broker,
  { input, error }: { input: Record<string, unknown>; error: unknown },
): Promise<Verdict> {
  const verdict = failure(error);
  const quotes =
    (error instanceof Denied && !(error instanceof DeniedUnread)) ||
    error instanceof ForgeRefused ||
    error instanceof ForgeMissing;
  // guard: marks: what a refusal quotes
  if (!quotes || typeof input.number !== 'number') return verdict;
  try {
    await broker.deps.marks.show(sourceOf(tool), await wordsAround(broker, input.number, verdict.text));
    return verdict;
  } catch (cause) {
    return failure(cause instanceof Error ? cause : error);
  }
}

/** Empty when the item does not exist: then nobody can be quoted. */
async function wordsAround({ scope, deps }: Broker, number: number, text: string): Promise<Spoken[]> {
  const item = await deps.forge.getItem(scope.repository, number).catch((error: unknown) => {
    if (error instanceof ForgeMissing) return null;
    throw error;
  });
  if (item === null) return [];
  const place = `an answer about #${number}`;
  return [
    { author: item.author, number, place, text },
    ...filesOf(item).map((files) => ({ ...files, place, text })),
  ];
}

async function write(
  tool: WriteTool,
  broker: Broker,
  call: { input: Record<string, unknown>; toolUseId: string },
): Promise<Verdict> {
  const { scope, deps } = broker;
  const asked = { id: call.toolUseId, kind: `tool:${tool.name}`, request: call.input } as const;
  // Writes of a run come one after another, so that nothing is added while this one is looked at.
  const calls = await callsOf(deps, scope.key.dispatchId);
  const key = effectKey(scope.key.dispatchId, asked.id);
  const stored = calls.find((one) => one.key === key) ?? null;
  if (stored !== null && isForged(stored, asked)) return denied(FORGED);
  // The model repeats a call whose answer was lost under another id. Where that would post a text twice, it is one call.
  const earlier =
    // guard: tool call repeated under a new id
    stored === null && tool.leavesMark ? earlierCall(calls, asked) : null;
  const id = earlier === null ? asked.id : earlier.key.slice(scope.key.dispatchId.length + 1);
  if ((stored ?? earlier)?.state !== 'done') {
    await allow(tool, broker, call.input);
    const isNew = stored === null && earlier === null;
    // guard: write counter
    if (isNew && calls.length >= scope.maxWrites) return denied(tooMany(scope));
  }
  const act: Act = { ...broker, mark: marker(effectKey(scope.key.dispatchId, id)) };
  const outcome = await once<Done>(deps, {
    ...asked,
    id,
    ...scope.key,
    find: async () => (await tool.find?.(call.input, act)) ?? null,
    perform: async () => await tool.perform(call.input, act),
  });
  if (outcome.kind === 'refused') return { decision: 'failed', text: outcome.reason };
  await tool.after?.(outcome.result, broker);
  const { text } = outcome.result;
  if (earlier?.state !== 'done') return { decision: 'allowed', text };
  return {
    decision: 'allowed',
    text: `An earlier call of this run did exactly this already: ${text} ${ONCE_MORE}`,
  };
}

/** Throws Denied. */
async function allow(tool: WriteTool, broker: Broker, input: Record<string, unknown>): Promise<void> {
  const { scope } = broker;
  const restriction = broker.deps.marks.restriction();
  // guard: tool restriction
  if (restriction !== null && !tool.harmless) {
    throw new DeniedUnread(
      `This run may only read and comment: ${restriction}. Say in your final answer what should be done.`,
    );
  }
  const target = await tool.target(input, broker);
  const isWide = scope.scope === 'repository' && restriction === null;
  if (!isWide && target === null)
    throw new DeniedUnread(`${tool.name} makes something outside of this conversation. ${WIDEN}`);
  // guard: tool scope
  if (!isWide && !(await scope.items()).includes(target!)) {
    const items = (await scope.items()).map((number) => `#${number}`).join(', ');
    throw new DeniedUnread(`#${target} is not an item of this conversation, which has ${items}. ${WIDEN}`);
  }
  await tool.check?.(input, broker);
}

const ONCE_MORE = 'Word it differently if it is meant to stand there once more.';

const WIDEN = 'Say it in your final answer, or ask the operator for `forge_scope: repository`.';

function tooMany({ maxWrites }: { maxWrites: number }): string {
  return `This run has made all of its ${maxWrites} writes to the forge. Put the rest into your final answer; the operator can raise \`max_forge_writes\`.`;
}

function denied(text: string): Verdict {
  return { decision: 'denied', text };
}

/** When the forge is away the effect stays planned: a later call with the same input goes on with it. */
function failure(error: unknown): Verdict {
  if (error instanceof Denied) return denied(error.message);
  if (error instanceof ForgeUnavailable) {
    return { decision: 'failed', text: `${error.message} Try again later with the same input.` };
  }
  if (error instanceof ForgeRefused || error instanceof ForgeMissing) {
    return { decision: 'failed', text: error.message };
  }
  if (error instanceof LeaseLost) {
    return { decision: 'failed', text: 'Another worker has taken this conversation over. Stop here.' };
  }
  const why = error instanceof Error ? error.message : String(error);
  return { decision: 'failed', text: `claude-hooks failed: ${why.slice(0, 300)} Go on without this call.` };
}

const SHORT = 80;

/** The input without its long texts. */
function small(input: unknown): Record<string, unknown> {
  if (typeof input !== 'object' || input === null) return {};
  const entries = Object.entries(input).slice(0, 20);
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(0, SHORT), smallValue(value)]));
}

function smallValue(value: unknown): unknown {
  if (typeof value === 'string') return value.length <= SHORT ? value : `${value.length} characters`;
  if (Array.isArray(value)) {
    const isShort =
      value.length <= 10 && value.every((v) => typeof v !== 'object' && String(v).length <= SHORT);
    return isShort ? value : `${value.length} entries`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : value;
}
