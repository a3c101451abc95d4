/**
 * What the real API refuses before a model sees it, as far as a session can cause it: a transcript that was cut,
 * repaired or put together badly fails here as it would there.
 */
import { blocksOf, type ContentBlock, type Message, type MessagesRequest } from './model-request.ts';

const MOST_CACHE_MARKERS = 4;

/** The API's sentence for an `invalid_request_error`, or null for a good request. */
export function findInvalid(body: unknown): string | null {
  const request = body as Partial<MessagesRequest> | null;
  if (request === null || typeof request !== 'object')
    return 'request body: Input should be a valid dictionary';
  if (typeof request.model !== 'string') return 'model: Field required';
  const { messages } = request;
  if (!Array.isArray(messages)) return 'messages: Field required';
  if (messages.length === 0) return 'messages: at least one message is required';
  for (const [index, message] of messages.entries()) {
    const problem = findBadShape(message, index);
    if (problem !== null) return problem;
  }
  const turns = combineNeighbours(messages);
  if (turns[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  return findBrokenPair(turns) ?? findMarkerExcess(request as MessagesRequest);
}

interface Turn {
  role: Message['role'];
  /** of its first message */
  index: number;
  blocks: ContentBlock[];
}

/**
 * The API takes neighbours of one role as one message. System turns in mid-conversation do not count for the order.
 */
function combineNeighbours(messages: Message[]): Turn[] {
  const turns: Turn[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    if (role === 'system') continue;
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...blocksOf(content));
    else turns.push({ role, index, blocks: [...blocksOf(content)] });
  }
  return turns;
}

function findBadShape(message: Message, index: number): string | null {
  if (!['user', 'assistant', 'system'].includes(message?.role)) {
    return `messages.${index}.role: Input should be 'user' or 'assistant'`;
  }
  const { content } = message;
  if (typeof content !== 'string' && !Array.isArray(content))
    return `messages.${index}.content: Field required`;
  if (content.length === 0 && !setsEffort(message))
    return `messages.${index}: all messages must have non-empty content`;
  const empty = blocksOf(content).some((block) => block.type === 'text' && !block.text);
  return empty ? `messages.${index}: text content blocks must be non-empty` : null;
}

/** When an agent's effort has changed, Claude Code 2.1.330 sends a turn without text. */
function setsEffort({ role, output_config }: Message): boolean {
  return role === 'system' && output_config !== undefined;
}

/** Every tool_use is answered in the next user message, and every tool_result answers one of the message before. */
function findBrokenPair(turns: Turn[]): string | null {
  const seen = new Set<string>();
  for (const [at, turn] of turns.entries()) {
    const calls = idsOf(turn, 'tool_use');
    const repeated = calls.find((id, place) => seen.has(id) || calls.indexOf(id) !== place);
    if (repeated !== undefined) return `messages.${turn.index}: \`tool_use\` ids must be unique: ${repeated}`;
    for (const id of calls) seen.add(id);
    const answers = idsOf(turns[at + 1], 'tool_result');
    const unanswered = calls.filter((id) => !answers.includes(id));
    if (unanswered.length > 0) {
      return (
        `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
        `${unanswered.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
      );
    }
    const asked = idsOf(turns[at - 1], 'tool_use');
    const orphan = idsOf(turn, 'tool_result').find((id) => !asked.includes(id));
    if (orphan !== undefined) {
      return (
        `messages.${turn.index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${orphan}. ` +
        'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.'
      );
    }
  }
  return null;
}

function findMarkerExcess(request: MessagesRequest): string | null {
  const blocks: { cache_control?: unknown }[] = [
    ...(request.tools ?? []),
    ...blocksOf(request.system),
    ...request.messages.flatMap((message) => blocksOf(message.content)),
  ];
  const found = blocks.filter((block) => block.cache_control).length;
  if (found <= MOST_CACHE_MARKERS) return null;
  return `A maximum of ${MOST_CACHE_MARKERS} blocks with cache_control may be provided. Found ${found}.`;
}

function idsOf(turn: Turn | undefined, type: 'tool_use' | 'tool_result'): string[] {
  return (turn?.blocks ?? [])
    .filter((block) => block.type === type)
    .map((block) => (type === 'tool_use' ? block.id : block.tool_use_id) ?? '');
}
