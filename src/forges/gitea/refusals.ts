/** Error messages of failed calls: what was asked, what the forge said, and what to do about it. They contain no token. */

interface Account {
  name: string;
  token: string;
}

interface FailedCall {
  method: string;
  /** below `/api/v1`, with its query */
  path: string;
}

const LONGEST_WORDS = 300;

/** The forge's own message from its JSON error body, on one line, or ''. */
export function forgeWords(json: unknown, token: string): string {
  const message = typeof json === 'object' && json !== null && 'message' in json ? json.message : '';
  if (typeof message !== 'string') return '';
  return withoutToken(message, token).replace(/\s+/g, ' ').trim().slice(0, LONGEST_WORDS);
}

export function describeRefusal(refusal: {
  account: Account;
  call: FailedCall;
  status: number;
  words: string;
  location: string | null;
}): string {
  const { account, call, status, words } = refusal;
  const said = words === '' ? '' : ` (“${words}”)`;
  const target = refusal.location === null ? '' : ` to ${withoutQuery(refusal.location, account)}`;
  const moved = status >= 300 && status < 400 ? target : '';
  return `${account.name}: ${call.method} ${call.path} answered ${status}${moved}${said}. ${remedy(status, call)}`;
}

/** No answer at all: refused, reset, unknown host, or too slow. */
export function describeTrouble(account: Account, call: FailedCall, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const words = timedOut ? 'it took too long' : cause instanceof Error ? cause.message : String(cause);
  const problem = withoutToken(words, account.token).slice(0, LONGEST_WORDS);
  return `${account.name}: ${call.method} ${call.path} got no answer: ${problem}. Check that the forge is up and its url is right; behind a proxy or with an authority of your own, see network in the configuration.`;
}

function remedy(status: number, call: FailedCall): string {
  if (status >= 300 && status < 400) return "Set the forge's url to the address it redirects to.";
  if (status === 401) return 'Check that the token is valid and not expired.';
  if (status === 403) {
    return `Give the token the scope ${scope(call)} and its account access to the repository; a locked conversation takes comments from writers only.`;
  }
  if (status === 404) return 'Check that it exists and that the account of this token may see it.';
  if (status === 409)
    return 'Look for what is there already, such as an open pull request of the same branch.';
  if (status === 423) return 'Unarchive the repository, or take it out of the flows.';
  if (status === 429) return 'Wait as long as the forge asks for.';
  if (status >= 500) return 'Try again later; if it stays, read the log of the forge.';
  return 'Change the request as the forge says; repeating it changes nothing.';
}

/** The route group decides: comments on pull requests go through the issues route. */
function scope({ method, path }: FailedCall): string {
  const access = method === 'GET' ? 'read' : 'write';
  if (/^\/user\b/.test(path)) return `${access}:user`;
  if (/^\/admin\b/.test(path)) return `${access}:admin`;
  // guard: a refusal names the scope of the route
  return /^\/repos\/[^/]+\/[^/]+\/(issues|labels|milestones)\b/.test(path)
    ? `${access}:issue`
    : `${access}:repository`;
}

function withoutQuery(location: string, account: Account): string {
  return withoutToken(location.split('?')[0]!, account.token).slice(0, LONGEST_WORDS);
}

function withoutToken(text: string, token: string): string {
  return token === '' ? text : text.replaceAll(token, '[redacted]');
}
