/** What a server answered, as the model is shown it: text with a bound, pictures written anew, the rest named in a sentence. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ToolBlock } from '../agent-runner/tool-server.ts';
import { readPictures } from '../pictures.ts';
import { hidden } from './hidden.ts';

/** Pictures of one result. The CLI counts the tokens of many, and leaves some out without saying which. */
const MOST_PICTURES = 8;

export interface Shown {
  content: ToolBlock[];
  isError: boolean;
  /** for the audit */
  characters: number;
  pictures: number;
}

export async function shownAnswer(
  result: CallToolResult,
  o: { characters: number; secrets: readonly string[] },
): Promise<Shown> {
  const isError = result.isError === true;
  const texts: string[] = [];
  const sent: Buffer[] = [];
  let more = 0;
  for (const block of result.content) {
    if (block.type === 'text') texts.push(block.text);
    else if (block.type === 'image') {
      if (sent.length < MOST_PICTURES) sent.push(Buffer.from(block.data, 'base64'));
      else more += 1;
    } else texts.push(otherBlock(block));
  }
  // The CLI would show data beside words in place of the words (seen with 2.1.330), so they are never handed on as such.
  // guard: mcp: words of an answer with data
  if (texts.length === 0 && result.structuredContent !== undefined) {
    texts.push(JSON.stringify(result.structuredContent));
  }
  if (more > 0) texts.push(`(${more} more pictures are left out: at most ${MOST_PICTURES} are shown.)`);
  // The CLI drops pictures of a failed call without a word.
  if (isError && sent.length > 0) texts.push(`(${sent.length} pictures of a failed call are not shown.)`);
  const pictures: ToolBlock[] = [];
  for (const [index, read] of (isError ? [] : await readPictures(sent)).entries()) {
    if (read.kind === 'picture') {
      pictures.push({ type: 'image', data: read.bytes.toString('base64'), mimeType: read.mediaType });
    } else texts.push(`(Picture ${index + 1} is not shown: ${read.why}.)`);
  }
  const text = cut(hidden(texts.join('\n\n'), o.secrets), o.characters);
  const content: ToolBlock[] = [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...pictures];
  return {
    content: content.length > 0 ? content : [{ type: 'text', text: '(The answer is empty.)' }],
    isError,
    characters: text.length,
    pictures: pictures.length,
  };
}

type OtherBlock = Exclude<CallToolResult['content'][number], { type: 'text' } | { type: 'image' }>;

function otherBlock(block: OtherBlock): string {
  switch (block.type) {
    case 'audio':
      return '(A sound is left out.)';
    case 'resource_link':
      return `(A link to ${block.name}: ${block.uri})`;
    case 'resource':
      return 'text' in block.resource ? block.resource.text : `(The file ${block.resource.uri} is left out.)`;
  }
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  // guard: mcp: the length of a text
  return `${text.slice(0, most)}\n(Cut off here: the answer has ${text.length} characters. Ask for less.)`;
}
