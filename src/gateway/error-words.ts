/**
 * What a refusal by the model's side, or by a proxy before it, means, as far as its words tell. Vendors share no codes:
 * the same overflow is a 400 here and a 500 there. Pure.
 */

/** One or two forms for each vendor and proxy; `error-words.test.ts` has the sentences they come from. */
const OVERFLOW: readonly RegExp[] = [
  // Anthropic, also on Vertex and Bedrock
  /prompt is too long/i,
  /exceeds? (the )?context (limit|window|length|size)/i,
  /exceeds? the (available |maximum )?context/i,
  // Bedrock
  /input is too long/i,
  /too many input tokens/i,
  // LiteLLM, and the errors it passes on
  /ContextWindowExceeded/i,
  /context[ _-]?(window|length)[ _-]?exceed/i,
  /context window (is )?large enough/i,
  /exceed_context_size/i,
  // OpenRouter, OpenAI, Azure, vLLM, Mistral, xAI
  /maximum (context|prompt) length/i,
  /(prompt|input) exceeds (the )?max(imum)? (context |prompt )?length/i,
  /exceeded model token limit/i,
  /reduce the length of (the )?(messages|prompt|either one)/i,
  // Gemini
  /input token count\b.{0,60}\b(exceeds|but (the )?model only supports)/i,
  // Cohere
  /too many tokens: .{0,80}prompt/i,
];

/** A limit on tokens per minute also speaks of tokens, but passes by itself. */
const NOT_OVERFLOW = /tokens? per (min|minute|day|hour)|\b[TR]P[MD]\b|rate.?limit/i;

/** The request is larger than the model's window. */
export function isOverflow(words: string): boolean {
  // guard: an overflow in the words of others
  return !NOT_OVERFLOW.test(words) && OVERFLOW.some((form) => form.test(words));
}

/** A policy, guardrail or filter refuses the text. */
export function isPolicy(words: string): boolean {
  return (
    /content[ _-]?(filter|policy|management|moderation)/i.test(words) ||
    /blocked by .{0,60}(policy|filter|guardrail|firewall|rule)/i.test(words) ||
    /(usage|acceptable use|safety|responsible ?ai)[ _-]?polic|ResponsibleAIPolicyViolation/i.test(words) ||
    /guardrail|safety (classifier|system)|PROHIBITED_CONTENT/i.test(words)
  );
}

/** The API's own sentence for a used-up balance, which it sends as a 400. */
const NO_CREDIT = /^(\w+: )?your credit balance is too low/i;

export function isNoCredit(message: string): boolean {
  return NO_CREDIT.test(message);
}

/**
 * A 400 that is about the key or the bill. A LiteLLM proxy without a database answers a wrong key like this.
 */
export function speaksOfCredential(words: string): 401 | 402 | null {
  if (
    /no connected db|no_db_connection|not connected to (a )?db/i.test(words) ||
    /(invalid|incorrect|expired|missing|wrong|unknown|malformed)[^.]{0,40}\b(api[ _-]?key|auth[a-z]*|(proxy |server |virtual |security )*token|credentials?|key)\b/i.test(
      words,
    ) ||
    /\b(api[ _-]?key|token|credentials?)\b[^.]{0,40}(invalid|not valid|incorrect|expired|not found|revoked)/i.test(
      words,
    ) ||
    /authentication.?error|unauthori[sz]ed/i.test(words)
  ) {
    return 401;
  }
  return /billing|credit balance|insufficient[ _](funds|credits?|quota|balance)|budget (has been )?exceeded|exceeded[^.]{0,30}budget|BudgetExceeded|payment required/i.test(
    words,
  )
    ? 402
    : null;
}

/** A 400 about the model's name: the session's history is not at fault. */
export function speaksOfModel(words: string): boolean {
  return (
    /(invalid|unknown|unsupported|no such|unrecognized)[^.]{0,20}\bmodel\b/i.test(words) ||
    /\bmodel\b[^.]{0,60}(not found|does not exist|not exist|not available|not supported|is invalid|isn.t supported|not a valid|no healthy)/i.test(
      words,
    ) ||
    /model_not_found|no deployments? available|on-demand throughput|not a valid model|not_found_error/i.test(
      words,
    )
  );
}

/**
 * When a refusal names a beta, tool or field in such words, the CLI leaves it out and asks again, and may then be
 * answered.
 */
export function speaksOfForm(words: string): boolean {
  return /anthropic-beta|\bbetas?\b|header|\btools?\b|thinking|effort|context_management|output_config|extra inputs|unexpected value|unknown (field|parameter|name)|unrecognized/i.test(
    words,
  );
}

const FAMILIES = /opus|sonnet|haiku/i;

/** `opus` for `claude-opus-4-5`; the whole name where it belongs to no family. */
export function familyOf(model: string): string {
  return FAMILIES.exec(model)?.[0].toLowerCase() ?? model;
}

/**
 * Whether a limit holds for this model only: its words name the model, or the window that refused is named for the
 * model's family (`seven_day_opus`, `unified-7d_opus`).
 */
export function limitsModel(
  model: string,
  { words, windows }: { words: string; windows: readonly string[] },
): boolean {
  const family = familyOf(model);
  const general = windows.filter((window) => !FAMILIES.test(window));
  if (windows.some((window) => window.toLowerCase().includes(family))) return general.length === 0;
  if (model !== '' && words.includes(model)) return true;
  return family !== model && new RegExp(`\\b${family}\\b`, 'i').test(words);
}
