/**
 * Reads a conversation out of one request. The Messages API keeps no state, and neither does this file: prompt, step
 * and history are read from `messages` alone. So a script goes on at the right place after a restart of the CLI or of
 * the model.
 */
import { blocksOf, type ContentBlock, type Message, type MessagesRequest, textOf } from './model-request.ts';

export interface Conversation {
  /** the system prompt, the mid-conversation system turns, and the reminders that older models get in their stead */
  systemText: string;
  /** text of the last genuine user prompt; prompts of failed turns that the CLI merged into it are part of it */
  prompt: string;
  /** user and assistant messages with content of their own before that prompt; the summary of a compaction is one */
  historyMessages: number;
  /** what those messages say, tool calls and results included; CLI-made notes are left out */
  history: string;
  /** history, then the prompt, then what this turn has brought so far */
  everything: string;
  /** tool round trips done since the prompt */
  step: number;
  /** the CLI's working directory as its last note names it; '.' if none does, since '' would make `{{ cwd }}/x` absolute */
  cwd: string;
  /** text of the last tool result since the prompt, '' if there is none */
  lastToolResult: string;
}

export function readConversation(request: MessagesRequest): Conversation {
  const at = request.messages.findLastIndex(isPrompt);
  // A conversation that was compacted in the middle of a turn has no prompt any more. All of it is history then.
  const start = at === -1 ? request.messages.length : at;
  const before = request.messages.slice(0, start).filter(hasOwnContent);
  const turn = request.messages.slice(start);
  const systemText = [textOf(request.system), ...request.messages.flatMap(notesIn)].join('\n');
  const summary = blocksOf(request.messages[at]?.content).filter(isSummary).map(blockText);
  const history = [...before.map(ownText), ...summary].join('\n');
  const results = turn.flatMap((m) => blocksOf(m.content)).filter((b) => b.type === 'tool_result');
  return {
    systemText,
    prompt: at === -1 ? '' : promptText(request.messages[at]!),
    historyMessages: before.length + summary.length,
    history,
    everything: [...before, ...turn.filter(hasOwnContent)].map(ownText).join('\n'),
    step: countSteps(turn),
    cwd: [...systemText.matchAll(CWD_NOTE)].at(-1)?.[1]?.trim() ?? '.',
    lastToolResult: withoutNotes(textOf(results.at(-1)?.content)),
  };
}

/** After a move the note goes on with ` (was …)`. */
const CWD_NOTE = /primary working directory: (.+?)(?: \(.*\))?$/gim;

/** Texts that the CLI writes in the user's or the model's name. */
const REMINDER = /<system-reminder>[\s\S]*?<\/system-reminder>/g;
const CLI_NOTES = [REMINDER, /^\[Request interrupted by user(?: for tool use)?\]$/gm];
/** The CLI closes an interrupted turn with this assistant message when the session is resumed. */
const FAKE_ANSWER = 'No response requested.';

function withoutNotes(text: string): string {
  return CLI_NOTES.reduce((rest, note) => rest.replace(note, ''), text).trim();
}

function notesIn(message: Message): string[] {
  if (message.role === 'system') return [textOf(message.content)];
  return message.role === 'user' ? (textOf(message.content).match(REMINDER) ?? []) : [];
}

function isFakeAnswer(message: Message): boolean {
  return message.role === 'assistant' && textOf(message.content).trim() === FAKE_ANSWER;
}

function promptText(message: Message): string {
  return blocksOf(message.content)
    .filter((block) => block.type === 'text' && !isSummary(block))
    .map((block) => withoutNotes(block.text ?? ''))
    .filter((text) => text !== '')
    .join('\n');
}

/** After a compaction the CLI opens the next user message with what is left of the ones before. */
function isSummary(block: ContentBlock): boolean {
  return (
    block.type === 'text' && (block.text ?? '').startsWith('This session is being continued from a previous')
  );
}

function isPrompt(message: Message): boolean {
  if (message.role !== 'user') return false;
  return promptText(message) !== '' || blocksOf(message.content).some(isAttachment);
}

/** An image or a document is a prompt, also without text. A tool result never is. */
function isAttachment(block: ContentBlock): boolean {
  return block.type !== 'text' && block.type !== 'tool_result';
}

function hasOwnContent(message: Message): boolean {
  return message.role !== 'system' && !isFakeAnswer(message) && ownText(message) !== '';
}

function ownText(message: Message): string {
  return blocksOf(message.content).map(blockText).filter(Boolean).join('\n');
}

function blockText(block: ContentBlock): string {
  if (block.type === 'text') return withoutNotes(block.text ?? '');
  if (block.type === 'tool_use') return `${block.name} ${JSON.stringify(block.input)}`;
  if (block.type === 'tool_result') return withoutNotes(textOf(block.content)) || '(no output)';
  return `(${block.type})`;
}

/** Neighbouring assistant messages are one answer: the CLI may send a cut-off answer and its rest apart. */
function countSteps(turn: Message[]): number {
  let steps = 0;
  let previous: Message['role'] = 'user';
  for (const message of turn) {
    if (message.role === 'assistant' && previous !== 'assistant' && !isFakeAnswer(message)) steps += 1;
    if (message.role !== 'system') previous = message.role;
  }
  return steps;
}
