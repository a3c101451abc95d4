/**
 * Side requests: besides the agent's turns the CLI asks its model for a session title, a quota probe, the summary of
 * a compaction. Such a request must never meet a scene: it would use up a fault, or take an agent's answer for a
 * title.
 */
import type { Conversation } from './model-conversation.ts';
import { type MessagesRequest, textOf } from './model-request.ts';

const COMPACTION_START = /CRITICAL: Respond with TEXT ONLY|Your task is to create a detailed summary/;
const COMPACTION = /Your task is to create a detailed summary of (?:the|this) conversation/;
const SIDE_SYSTEM =
  /^(?:You are naming a |You are a helpful AI assistant tasked with summarizing|Generate a (?:concise|short))/m;

export function isSideRequest(request: MessagesRequest): boolean {
  if (isCompaction(request)) return true;
  if ((request.tools ?? []).length > 0) return false;
  return request.max_tokens === 1 || schemaOf(request) !== null || SIDE_SYSTEM.test(textOf(request.system));
}

/** `text` is the script's `side.text`. A summary repeats the conversation, so that recall outlives a compaction. */
export function sideText(request: MessagesRequest, conversation: Conversation, text: string): string {
  if (isCompaction(request)) {
    const [told] = conversation.everything.split(COMPACTION_START);
    return `<summary>\n${text}\n${told?.trim()}\n</summary>`;
  }
  const schema = schemaOf(request);
  return schema === null ? text : JSON.stringify(instanceOf(schema, text));
}

function isCompaction(request: MessagesRequest): boolean {
  const last = request.messages.findLast((message) => message.role === 'user');
  return last !== undefined && COMPACTION.test(textOf(last.content));
}

interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  enum?: unknown[];
}

function schemaOf(request: MessagesRequest): JsonSchema | null {
  const format = request.output_config?.format;
  return format?.type === 'json_schema' ? ((format.schema ?? {}) as JsonSchema) : null;
}

/** The smallest value that fits a schema. Handles the CLI's own flat schemas only. */
function instanceOf(schema: JsonSchema, text: string): unknown {
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === 'boolean') return false;
  if (schema.type === 'number' || schema.type === 'integer') return 0;
  if (schema.type === 'array') return [];
  if (schema.type === 'null') return null;
  if (schema.type !== 'object') return text;
  const properties = schema.properties ?? {};
  return Object.fromEntries(
    (schema.required ?? []).map((key) => [key, instanceOf(properties[key] ?? {}, text)]),
  );
}
