/** A skill and what is known about its item, to the text the agent is given. */
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
 * What a skill may name. Every text and name that came from the forge is `Words`: it is printed with its author where
 * it is not trusted. Plain strings are ours, or of a form that can say nothing: ids, commits, states, addresses.
 */
export interface PromptContext {
  /** of the newest message */
  event: Spoken<ForgeEvent>;
  /** everything this dispatch carries, oldest first */
  messages: readonly PromptMessage[];
  /** its title and description as they were when the agent was woken, the rest as the forge has it now */
  item: Spoken<EventItem> & Vouched;
  pull: Spoken<EventPull> | null;
  /** in creation order: all of them in the full form, in the short form those since the last dispatch */
  comments: readonly PromptComment[];
  /** oldest first; in the short form what is new, with an older review around a new reply */
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

/** An event, an item, a pull request or an account, whose fields that people fill in know whose words they are. */
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

/** The address of a commit status is whatever its reporter sent; the forge makes the others. */
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
  /** it is only here because somebody replied in it since */
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
  /** the one before it in its thread, where that is not printed right before it */
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
  // The CLI takes a prompt that begins with a slash for a command; `/clear` would end the session.
  return text.startsWith('/') ? ` ${text}` : text;
}
