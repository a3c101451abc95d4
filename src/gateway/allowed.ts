/**
 * What a request to the model may hold: all that the CLI sends for the agents, and nothing else. Whatever is missing
 * here is refused, because the model's side could act on it with our key: fetch an address, run code, keep a file.
 * `allowed.test.ts` compares these lists with what the real CLI sends. After a change of the CLI run it, and follow it.
 */
import {
  data,
  type Fields,
  type Form,
  fields,
  flag,
  kinds,
  list,
  number,
  oneOf,
  schema,
  text,
  textOrList,
  unseen,
} from './forms.ts';

/** The CLI moves its cache marks from request to request, so every block may carry one. */
export const MARK = 'the CLI’s mark of the cache may stand here';

const CACHE = fields({
  type: oneOf('ephemeral'),
  ttl: unseen(
    'settings of a project may ask for the longer time; the ledger knows its price',
    oneOf('5m', '1h'),
  ),
});

/** Like `unseen`, for a value that may have one of several forms. */
const unseenKind = (why: string, form: Fields) => ({ ...form, why });
/** `kinds` has looked at `type` already; it is repeated here so that every field is on the list. */
const block = (type: string, named: Record<string, Form>): Fields => fields({ type: oneOf(type), ...named });

const base64 = (...types: string[]) =>
  kinds({ base64: block('base64', { media_type: oneOf(...types), data: text() }) });

const TEXT = block('text', {
  text: text(),
  cache_control: CACHE,
  citations: { is: 'nothing' },
});
const IMAGE = block('image', {
  source: base64('image/png', 'image/jpeg', 'image/gif', 'image/webp'),
  cache_control: unseen(MARK, CACHE),
});
const DOCUMENT = block('document', { source: base64('application/pdf'), cache_control: unseen(MARK, CACHE) });

const TOOL_RESULT = block('tool_result', {
  tool_use_id: text(200),
  content: textOrList(
    kinds({
      text: TEXT,
      image: IMAGE,
      document: DOCUMENT,
    }),
  ),
  is_error: flag,
  cache_control: CACHE,
});

const TOOL_USE = block('tool_use', {
  id: text(200),
  name: text(200),
  input: data,
  caller: unseen('sessions of earlier releases may have it', fields({ type: oneOf('direct') })),
  cache_control: unseen(MARK, CACHE),
});

const IN_PROMPT = 'a picture in a prompt, and where the CLI counts the tokens of many';

const MESSAGE = fields({
  role: oneOf('user', 'assistant', 'system'),
  content: textOrList(
    kinds({
      text: TEXT,
      image: unseenKind(IN_PROMPT, IMAGE),
      document: unseenKind(IN_PROMPT, DOCUMENT),
      tool_use: TOOL_USE,
      tool_result: TOOL_RESULT,
      thinking: block('thinking', { thinking: text(), signature: text() }),
      redacted_thinking: block('redacted_thinking', { data: text() }),
    }),
  ),
  output_config: fields({ effort: oneOf('low', 'medium', 'high', 'xhigh', 'max') }),
});

/**
 * Tools with a `type` of their own are refused: they run on the model's side, or differ from those that do only by
 * name.
 */
const TOOL = fields({
  type: unseen('the API’s own word for a tool of the client', oneOf('custom')),
  name: text(200),
  description: text(),
  input_schema: schema,
  cache_control: unseen(MARK, CACHE),
});

/** Fields of messages and of token counting. */
export const BODY: Form & Fields = fields({
  model: text(200),
  max_tokens: number,
  stream: flag,
  system: textOrList(kinds({ text: TEXT })),
  messages: list(MESSAGE),
  tools: list(TOOL),
  tool_choice: unseen(
    'side tasks of the CLI name the tool that they want called',
    fields({ type: oneOf('auto', 'any', 'tool', 'none'), name: text(200), disable_parallel_tool_use: flag }),
  ),
  metadata: fields({ user_id: text(400) }),
  temperature: unseen('sent where thinking is off', number),
  thinking: fields({
    type: oneOf('adaptive', 'enabled', 'disabled'),
    budget_tokens: number,
    display: oneOf('summarized', 'omitted', 'updates'),
  }),
  context_management: fields({
    edits: list(
      kinds({
        clear_thinking_20251015: block('clear_thinking_20251015', { keep: oneOf('all') }),
      }),
    ),
  }),
  output_config: fields({
    effort: oneOf('low', 'medium', 'high', 'xhigh', 'max'),
    format: unseen(
      'side tasks of the CLI ask for an answer in a form',
      fields({ type: oneOf('json_schema'), schema }),
    ),
  }),
});

/** For each: why it is on the list although no recording has it; null = recordings have it. */
type Listed = Readonly<Record<string, string | null>>;

/**
 * Betas on this list only change the form of requests and answers. One that lets the model's side act must not be
 * added.
 */
export const BETAS: Listed = {
  'claude-code-20250219': null,
  'interleaved-thinking-2025-05-14': null,
  'context-management-2025-06-27': null,
  'thinking-token-count-2026-05-13': null,
  'thinking-display-updates-2026-08-18': null,
  'per-turn-control-2026-07-01': null,
  'mid-conversation-tool-changes-2026-07-01': null,
  'effort-2025-11-24': null,
  'token-counting-2024-11-01': null,
  'oauth-2025-04-20': 'an OAuth token needs it; the gateway adds it, too',
  'structured-outputs-2025-12-15': 'belongs to `output_config.format`',
  'extended-cache-ttl-2025-04-11': 'belongs to `cache_control.ttl`',
};
/** Long prompts cost more with it, so only an agent whose model asks for it may use it. */
export const LONG_CONTEXT_BETA = 'context-1m-2025-08-07';

/** Headers that are passed on to the model's side. All others are dropped. */
export const OUTWARD_HEADERS: Listed = {
  accept: null,
  'user-agent': null,
  'anthropic-version': null,
  'anthropic-beta': null,
  'anthropic-dangerous-direct-browser-access': null,
  'x-app': null,
  'x-claude-code-session-id': null,
  'x-claude-code-agent-id': null,
  'x-stainless-arch': null,
  'x-stainless-lang': null,
  'x-stainless-os': null,
  'x-stainless-package-version': null,
  'x-stainless-retry-count': null,
  'x-stainless-runtime': null,
  'x-stainless-runtime-version': null,
  'x-stainless-timeout': null,
};
/** Headers of the CLI that are dropped: they belong to the connection, or we set them ourselves. */
export const KEPT_BACK_HEADERS: Listed = {
  'accept-encoding': null,
  connection: null,
  'content-length': null,
  'content-type': null,
  host: null,
  'x-api-key': null,
};
