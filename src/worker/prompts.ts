/** The prompt of a dispatch in its two forms. */
import type { PromptForm } from '../agent-runner/contract.ts';
import type { AgentConfig, Skill } from '../config/config.ts';
import { describeChanges, type Snapshot } from '../flows/changes.ts';
import { renderPrompt } from '../flows/prompt.ts';
import { stripHiddenText } from '../security/hidden-text.ts';
import type { ConversationView } from '../vocabulary.ts';
import type { CarriedMessage, DispatchContext } from './context.ts';

export interface PromptMaterial {
  context: DispatchContext;
  agent: AgentConfig;
  login: string;
  skills: ReadonlyMap<string, Skill>;
  conversation: ConversationView;
  /** the leading item as the last answered dispatch saw it; null = never */
  seen: Snapshot | null;
}

export function promptOf(material: PromptMaterial, form: PromptForm): string {
  const name = leadingOf(material).skill;
  const skill = material.skills.get(name);
  if (skill === undefined) {
    throw new Error(
      `Skill ${name} is no longer in the configuration. Add skills/${name}.md again, or replay the delivery.`,
    );
  }
  const text = renderPrompt({
    skill,
    form,
    context: promptContext(material, form),
  });
  const notes = material.context.checkout.notes;
  const parts = [
    text,
    ...(notes.length > 0 ? [`About your checkout:\n${notes.map((n) => `- ${n}`).join('\n')}`] : []),
  ];
  return parts.join('\n\n');
}

function leadingOf({ context }: PromptMaterial): CarriedMessage {
  if (context.leading === null)
    throw new Error('A prompt needs a message; the dispatch should have been cancelled.');
  return context.leading;
}

function promptContext(material: PromptMaterial, form: PromptForm) {
  const { context, agent, login, conversation, seen } = material;
  const known = form === 'full' ? null : seen;
  const ownLogin = login.toLowerCase();
  const comments = context.comments
    .filter((c) => known === null || !known.commentIds.includes(c.id))
    // In a session that goes on, the agent's own comments are its own answers: it has them.
    .filter((c) => form === 'full' || c.author.login.toLowerCase() !== ownLogin)
    .map((c) => ({ ...c, body: stripHiddenText(c.body) }));
  const reviews = context.reviews
    .filter((r) => known === null || !known.reviews.some((k) => k.id === r.id))
    .filter((r) => form === 'full' || r.author.login.toLowerCase() !== ownLogin)
    .map((r) => ({
      ...r,
      body: stripHiddenText(r.body),
      inline: r.inline.map((i) => ({ ...i, body: stripHiddenText(i.body) })),
    }));
  return {
    event: leadingOf(material).event,
    messages: context.messages,
    item: { ...context.item, body: stripHiddenText(context.item.body) },
    pull: context.item.pull,
    comments,
    reviews,
    changes: changesOf(material),
    agent: { name: agent.name, login },
    conversation,
    branch: context.checkout.branch,
    with: leadingOf(material).with,
  };
}

/** A pull request that joined the issue's conversation has no earlier state to compare with, and is not unchanged. */
function changesOf({ context, conversation, seen }: PromptMaterial): string[] {
  const { item, snapshot } = context;
  if (seen !== null || item.number === conversation.itemNumber) return describeChanges(seen, snapshot);
  const head = item.pull === null ? '' : `, head ${item.pull.headSha.slice(0, 10)}`;
  return [`It is new to this conversation: ${item.state}${head}.`];
}
