/** The parts of a Messages API request that the rehearsal model reads. Everything else passes unread. */

export interface ContentBlock {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: string | ContentBlock[];
  cache_control?: { type: string; ttl?: string } | null;
}

/** `system` is a mid-conversation system turn: Claude Code 2.1.330 sends its environment notes this way. */
export interface Message {
  role: 'user' | 'assistant' | 'system';
  content: string | ContentBlock[];
  output_config?: { effort?: string };
}

export interface MessagesRequest {
  model: string;
  messages: Message[];
  system?: string | ContentBlock[];
  tools?: { name: string; cache_control?: ContentBlock['cache_control'] }[];
  max_tokens?: number;
  stream?: boolean;
  thinking?: unknown;
  tool_choice?: unknown;
  output_config?: { format?: { type: string; schema?: unknown } };
}

/** A string is the API's short form of one text block. Both forms are read alike and have the same hash. */
export function blocksOf(content: string | ContentBlock[] | undefined): ContentBlock[] {
  if (content === undefined) return [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

export function textOf(content: string | ContentBlock[] | undefined): string {
  return blocksOf(content)
    .filter((block) => block.type === 'text')
    .map((block) => block.text ?? '')
    .join('\n');
}
