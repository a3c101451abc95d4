/** A skill and what is known about its item, to the text the agent is given. */
import type { Skill } from '../config/config.ts';
import type {
  AgentView,
  ConversationView,
  EventItem,
  EventPull,
  ForgeEvent,
  ForgeUser,
  ReviewVerdict,
} from '../vocabulary.ts';

/** What a skill may name. All of it is other people's text except `changes`, `agent`, `conversation`, `branch`, `with`. */
export interface PromptContext {
  /** of the newest message */
  event: ForgeEvent;
  /** everything this dispatch carries, oldest first */
  messages: readonly PromptMessage[];
  /** its title and description as they were when the agent was woken, the rest as the forge has it now */
  item: EventItem & Vouched;
  pull: EventPull | null;
  /** in creation order: all of them in the full form, in the short form those since the last dispatch */
  comments: readonly PromptComment[];
  /** oldest first; as with comments */
  reviews: readonly PromptReview[];
  /** sentences from `describeChanges` */
  changes: readonly string[];
  agent: AgentView;
  conversation: ConversationView;
  /** checked-out branch, null when the agent only reads */
  branch: string | null;
  /** the flow's own values, of the newest message */
  with: Readonly<Record<string, unknown>>;
}

export interface PromptMessage {
  event: ForgeEvent;
  with: Readonly<Record<string, unknown>>;
  flow: string;
}

/** `trusted`: the author may wake agents in this repository, or is one of ours. */
interface Vouched {
  trusted: boolean;
}

export interface PromptComment extends Vouched {
  id: number;
  author: ForgeUser;
  body: string;
  createdAt: string;
}

export interface PromptReview extends Vouched {
  id: number;
  author: ForgeUser;
  verdict: ReviewVerdict;
  body: string;
  commitId: string;
  inline: readonly { path: string; line: number | null; body: string }[];
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
