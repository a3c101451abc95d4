/** Makes the agent's prompt from a skill and what is known about its item. */
import type { Skill } from '../config/config.ts';
import type { Words } from '../config/words.ts';
import type {
  AgentView,
  ConversationView,
  EventCi,
  EventItem,
  EventPull,
  ForgeEvent,
  ForgeUser,
  ReviewVerdict,
} from '../vocabulary.ts';

/**
 * The names that a skill may use. Every text and name that came from the forge is `Words`: it is printed with its
 * author where it is not trusted. Plain strings are ours, or have a form that cannot carry a message: ids, commits,
 * states, addresses.
 */
export interface PromptContext {
  /** of the newest message */
  event: Spoken<ForgeEvent>;
  /** everything this dispatch carries, oldest first */
  messages: readonly PromptMessage[];
  /** title and description as they were when the agent was woken, the rest as the forge has it now */
  item: Spoken<EventItem> & Vouched;
  pull: Spoken<EventPull> | null;
  /** in creation order: all of them in the full form, those since the last dispatch in the short form */
  comments: readonly PromptComment[];
  /** oldest first; in the short form only new ones, and an older review where it has a new reply */
  reviews: readonly PromptReview[];
  /** sentences from `describeChanges` */
  changes: readonly string[];
  agent: AgentView;
  conversation: Omit<ConversationView, 'branch'> & { branch: Words | null };
  /** checked-out branch, null when the agent only reads */
  branch: Words | null;
  /** the flow's own values, of the newest message */
  with: Readonly<Record<string, unknown>>;
}

/** An event, an item, a pull request or an account; the fields that people fill in name their author. */
export type Spoken<T> = {
  [K in keyof T]: K extends Said
    ? T[K] extends readonly string[]
      ? readonly Words[]
      : T[K] extends string
        ? Words
        : Words | null
    : T[K] extends EventCi | null
      ? SpokenCi | null
      : T[K] extends readonly string[] | string | number | boolean | null
        ? T[K]
        : Spoken<NonNullable<T[K]>> | Extract<T[K], null>;
};

/**
 * The address of a commit status is whatever its reporter sent; all other addresses are made by the forge.
 */
type SpokenCi = Omit<EventCi, 'workflow' | 'htmlUrl'> & { workflow: Words; htmlUrl: Words };

type Said =
  | 'title'
  | 'body'
  | 'login'
  | 'labels'
  | 'assignees'
  | 'mentions'
  | 'requestedReviewers'
  | 'requestedReviewer'
  | 'headRef'
  | 'headRepository'
  | 'baseRef'
  | 'defaultBranch'
  | 'ref';

export interface PromptMessage {
  event: Spoken<ForgeEvent>;
  with: Readonly<Record<string, unknown>>;
  flow: string;
}

/** `trusted`: its author may wake agents in this repository, or is one of ours. */
interface Vouched {
  trusted: boolean;
}

export interface PromptComment extends Vouched {
  id: number;
  author: Spoken<ForgeUser>;
  body: Words;
  createdAt: string;
}

export interface PromptReview extends Vouched {
  id: number;
  author: Spoken<ForgeUser>;
  verdict: ReviewVerdict;
  body: Words;
  commitId: string;
  /** it is an old one, included only because of a new reply in it */
  known: boolean;
  inline: readonly PromptInline[];
}

export interface PromptInline extends Vouched {
  id: number;
  author: Spoken<ForgeUser>;
  path: Words;
  /** `line 3`, `old line 3` or '' */
  at: string;
  line: number | null;
  body: Words;
  createdAt: string;
  /** the remark before it in its thread, where that one is not printed right before it */
  replyTo: Omit<PromptInline, 'replyTo'> | null;
}

export interface PromptRequest {
  skill: Skill;
  form: 'full' | 'short';
  context: PromptContext;
}

/** Never empty and never a command of the CLI. Throws when the skill renders to nothing. */
export function renderPrompt({ skill, form, context }: PromptRequest): string {
  const text = skill.render(form, context).trim();
  if (text === '') {
    throw new Error(`Skill ${skill.name} rendered to nothing in its ${form} form. Correct ${skill.file}.`);
  }
  // The CLI takes a prompt that begins with a slash for a command, and `/clear` would end the session.
  return text.startsWith('/') ? ` ${text}` : text;
}
