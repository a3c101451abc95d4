/**
 * What people on the forge are told when something failed. Such texts are made only here: each is a sentence of ours
 * about one of a closed set of causes. Output of programs, paths and contents stay in the rows and the log, for the
 * operator. Pure.
 */
import { ForgeMissing, ForgeRefused, ForgeUnavailable, GitFailed, ToolsUnavailable } from '../errors.ts';
import type { CapReason, SkillPromise } from '../vocabulary.ts';

/** Where the fault lies, as far as that helps people on the forge. */
export type Cause =
  | 'forge-away'
  | 'forge-refused'
  | 'forge-missing'
  | 'git-away'
  | 'git-denied'
  | 'git-missing'
  | 'git-refused'
  | 'machine'
  | 'checkout'
  | 'model'
  | 'request'
  | 'tools'
  | 'session'
  | 'unknown';

/** Why a push was rejected; the worker's `workdir.push` fits. */
export type PushCause =
  | { kind: 'behind' | 'objects' | 'protected' | 'hook' | 'forge' }
  /** a sentence of ours about a rule */
  | { kind: 'rules'; what: string }
  | { kind: 'failed'; cause: Cause };

export type Failure =
  /** nothing may run; `why`: a clause of ours */
  | { kind: 'not-run'; why: string }
  /** the work was taken back while it went on; `why`: a clause of ours */
  | { kind: 'stopped'; why: string }
  | { kind: 'could-not-run'; cause: Cause }
  | { kind: 'gave-up'; cause: Cause; attempts: number }
  /** the model will not take a text; `all`: nobody knows which, so that all of the item are set aside */
  | { kind: 'declined'; all: boolean }
  /** stands below an answer that was given without the text */
  | { kind: 'not-read' }
  /** stands below an answer: what was left in the background did not end in time */
  | { kind: 'left-behind'; count: number; minutes: number }
  | { kind: 'too-long'; minutes: number }
  | { kind: 'capped'; why: CapReason }
  | { kind: 'push'; branch: string; why: PushCause }
  | { kind: 'pull'; status: number | null }
  | { kind: 'review'; status: number | null }
  /** two runs in a row left nothing of what they were for; `tried`: oldest first */
  | { kind: 'no-progress'; tried: readonly Tried[] };

/** One run that left nothing. */
export interface Tried {
  /** of ours or the operator's, in letters, digits and dashes */
  skill: string;
  /** RFC 3339 */
  at: string;
  lacking: readonly SkillPromise[];
}

/** Only `failureText` makes one, so that no other text can be posted in its place. */
export type FailureText = string & { readonly made: 'failure-texts' };

export function failureText(failure: Failure): FailureText {
  // guard: truth: a failure is told by its class
  return withoutPlaces(sentencesOf(failure)) as FailureText;
}

function sentencesOf(failure: Failure): string {
  switch (failure.kind) {
    case 'not-run':
      return `I did not run: ${failure.why}.`;
    case 'stopped':
      return `I stopped before I was done: ${failure.why}. What I have done so far is kept, and nothing of it was published. Write here to let me go on.`;
    case 'could-not-run':
      return `I could not run: ${CAUSES[failure.cause]}. ${OPERATOR}`;
    case 'gave-up':
      return `I gave up after ${failure.attempts} attempts: ${CAUSES[failure.cause]}. Write here to let me try again. ${OPERATOR}`;
    case 'declined':
      return failure.all
        ? `The model refuses what stands here, and I cannot tell which text it is. I have set all texts of this item aside and read what is written from now on. My session is kept. ${OTHER_WORDS}`
        : `The model refuses what was written here: it is against its policy, against a filter on the way to it, or too long. I have set the text aside and read what is written from now on. My session is kept. ${OTHER_WORDS}`;
    case 'not-read':
      return `I have not read the newest text here: the model did not take it (against its policy, against a filter, or too long), so I set it aside. ${OTHER_WORDS}`;
    case 'left-behind': {
      const what = failure.count === 1 ? 'A subagent or command' : `${failure.count} subagents or commands`;
      return `${what} that I had left in the background did not end within ${failure.minutes} ${failure.minutes === 1 ? 'minute' : 'minutes'} (worker.background_seconds) and was stopped. What it would have found is not in this answer. Write here to let me go on.`;
    }
    case 'too-long':
      return `I was stopped after ${failure.minutes} minutes (worker.run_timeout_minutes) before I was done. Write here to let me go on.`;
    case 'capped':
      if (failure.why === 'max-output') return TOO_MUCH_AT_ONCE;
      return `I stopped at my limit (${failure.why}) before I was done. Write here to let me go on.`;
    case 'push':
      return `The branch ${failure.branch} could not be pushed: ${pushCause(failure.why)}`;
    case 'pull':
      return `The pull request could not be opened: the forge refused it${status(failure.status)}. The branch is there; a person can open it.`;
    case 'review':
      return `The review was refused by the forge${status(failure.status)}, so this is a comment and no verdict.`;
    case 'no-progress':
      return [
        `I have run ${failure.tried.length} times in a row without a result, and I need a person to say how to go on.`,
        'What I tried:',
        ...failure.tried.map(triedLine),
        'My answers above say what I found. Write here what to do differently, or take me off; I do not ask again before something came of it.',
      ].join('\n');
  }
}

const TOO_MUCH_AT_ONCE =
  'My answer became longer than the model may write at once, and it was cut off. What I have done so far is kept. Ask me for a part of it, or to write it into files.';
const LACKING: Record<SkillPromise, string> = {
  head: 'new commits',
  pull: 'a pull request',
  verdict: 'a verdict',
  answer: 'an answer',
};

function triedLine({ skill, at, lacking }: Tried): string {
  return `- ${at}, ${skill}: there should have been ${lacking.map((one) => LACKING[one]).join(' or ')}`;
}

const OTHER_WORDS = 'Edit it, or say it in other words, and I read it.';

const OPERATOR =
  'The operator of this service finds the details in its log and with `claude-hooks conversations`.';

const CAUSES: Record<Cause, string> = {
  'forge-away': 'the forge could not be reached',
  'forge-refused': 'the forge refused what I asked it for',
  'forge-missing': 'something that I need is not on the forge, or my account may not see it',
  'git-away': 'git could not reach the repository',
  'git-denied': 'the forge did not accept my credential for git',
  'git-missing': 'the repository or the branch is not there, or my account may not see it',
  'git-refused': 'the forge refused what git asked it for',
  machine: 'the machine that I run on lacks space, memory or a permission',
  checkout: 'my working copy could not be prepared',
  model: 'the model, or the program that I run in, failed',
  request: 'the model did not take this request; my session is kept',
  tools: 'an MCP server that I need does not answer, or lacks a tool that I must have',
  session: 'no session could be resumed or started',
  unknown: 'something in this service failed',
};

function pushCause(why: PushCause): string {
  switch (why.kind) {
    case 'behind':
      return 'the branch on the forge has commits that my work does not contain. Ask me to take them over.';
    case 'objects':
      return 'git does not accept the commits as they are. Ask me to make them anew.';
    case 'rules':
      return `${why.what} Ask me to change that, or let a person do it.`;
    case 'protected':
      return 'the branch is protected. Let my account push to it, or ask me to use another branch.';
    case 'hook':
      return 'a rule of the forge (a hook) declined it. The operator finds its words with `claude-hooks conversations`.';
    case 'forge':
      return `the forge did not take it. ${OPERATOR}`;
    case 'failed':
      return `${CAUSES[why.cause]}. ${OPERATOR}`;
  }
}

function status(code: number | null): string {
  return code === null ? '' : ` (${code})`;
}

/** Decided by the class of the error, never by its message. */
export function causeOf(error: unknown): Cause {
  if (error instanceof ForgeUnavailable) return 'forge-away';
  if (error instanceof ForgeRefused) return 'forge-refused';
  if (error instanceof ForgeMissing) return 'forge-missing';
  if (error instanceof ToolsUnavailable) return 'tools';
  if (!(error instanceof GitFailed)) return 'unknown';
  const kind = 'kind' in error ? String(error.kind) : '';
  return GIT_CAUSES[kind] ?? (error.transient ? 'git-away' : 'checkout');
}

const GIT_CAUSES: Record<string, Cause> = {
  unreachable: 'git-away',
  denied: 'git-denied',
  missing: 'git-missing',
  refused: 'git-refused',
  machine: 'machine',
  damaged: 'checkout',
};

/** Last safeguard: removes paths of this machine from a clause that was made elsewhere. */
function withoutPlaces(text: string): string {
  return text.replace(
    /(?<![\w:/.`~-])(?:file:\/\/)?\/(?:[\w.@+~-]+\/)+[\w.@+~-]*/g,
    '(a folder of this service)',
  );
}
