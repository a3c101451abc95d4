/** What stands in a transcript after a line, as turns for our record: what a person and the model said, and did. Pure. */
import type { TurnRow } from '../database/tables.ts';

export interface SaidTurn {
  kind: Exclude<TurnRow['kind'], 'answer'>;
  content: string;
  uuid: string | null;
}

interface Line {
  type?: unknown;
  uuid?: unknown;
  isSidechain?: unknown;
  isMeta?: unknown;
  isApiErrorMessage?: unknown;
  message?: { model?: unknown; content?: unknown };
}

/** `after`: uuid of a line; null = from the beginning. Subagents and the CLI's own commands are left out. */
export function saidAfter(bytes: Uint8Array, after: string | null): SaidTurn[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n').map(parsed);
  const from = after === null ? 0 : lines.findLastIndex((line) => line?.uuid === after) + 1;
  return lines.slice(from).flatMap((line) => (line === null ? [] : turnsOf(line)));
}

function parsed(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Line) : null;
  } catch {
    return null;
  }
}

function turnsOf(line: Line): SaidTurn[] {
  if (line.isSidechain === true || line.isMeta === true || line.isApiErrorMessage === true) return [];
  if (line.message?.model === '<synthetic>') return [];
  const uuid = typeof line.uuid === 'string' ? line.uuid : null;
  const blocks = blocksOf(line.message?.content);
  if (line.type === 'user') {
    const text = blocks.flatMap((b) => (b.type === 'text' ? [String(b.text)] : [])).join('\n');
    return text.trim() === '' || OWN_COMMAND.test(text) ? [] : [{ kind: 'prompt', content: text, uuid }];
  }
  if (line.type !== 'assistant') return [];
  return blocks.flatMap((block): SaidTurn[] => {
    if (block.type === 'text' && typeof block.text === 'string' && block.text.trim() !== '') {
      return [{ kind: 'text', content: block.text, uuid }];
    }
    if (block.type !== 'tool_use' || typeof block.name !== 'string') return [];
    return [{ kind: 'tool', content: `${block.name} ${JSON.stringify(block.input)}`, uuid: null }];
  });
}

/** `/exit` and its like: the CLI writes them in tags. */
const OWN_COMMAND = /^\s*<(command-|local-command|bash-)/;

interface Block {
  type?: unknown;
  text?: unknown;
  name?: unknown;
  input?: unknown;
}

function blocksOf(content: unknown): Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter((b): b is Block => typeof b === 'object' && b !== null) : [];
}
