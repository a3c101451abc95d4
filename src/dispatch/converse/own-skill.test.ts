import { expect, test } from 'vitest';
import { materialOf } from '../../../test/support/prompt-context.ts';
import { commentEvent } from '../../../test/support/sample-events.ts';
import type { Skill } from '../../config/config.ts';
import { OWN_SKILL } from '../../mailbox/messages.ts';
import type { OwnEvent } from '../../vocabulary.ts';
import { leadingOf } from '../gather/messages.ts';
import { withOwnSkill } from './own-skill.ts';
import { promptOf } from './prompts.ts';

const told = commentEvent('And the docs?');
const said: OwnEvent = { ...told, name: 'person.said', comment: null, note: { text: 'Use `x`.', by: 'ada' } };
const due: OwnEvent = {
  ...told,
  name: 'timer.due',
  comment: null,
  note: { text: 'Look at CI.', by: 'timer' },
};
const answer: Skill = { name: 's', file: '', description: '', promises: [], render: () => 'Answer.' };

test('the words of a command and of a timer stand in the prompt of any skill, fenced and with who says them', () => {
  const material = materialOf(told, { events: [told, said, due] });
  const prompt = promptOf({ ...material, skills: withOwnSkill(new Map([['s', answer]])) }, 'short');
  expect(prompt).toContain('Answer.');
  expect(prompt).toContain('ada says to you, by command and not on the forge:\n```\nUse `x`.\n```');
  expect(prompt).toContain('A timer that you set is due. You wrote then:\n```\nLook at CI.\n```');
});

test('alone they make a prompt by themselves, with the item where the session begins', () => {
  const material = materialOf(said);
  material.context.leading!.skill = OWN_SKILL;
  const skills = withOwnSkill(new Map());
  expect(promptOf({ ...material, skills }, 'full')).toMatch(
    /Issue #12: Totals are wrong[\s\S]*The sum of two prices[\s\S]*Do what it asks[\s\S]*Use `x`\./i,
  );
  expect(promptOf({ ...material, skills }, 'short')).not.toContain('The sum of two prices');
});

test('a message of the forge leads, however pressing the other is', () => {
  const of = (event: typeof told, priority: number) => ({
    ...materialOf(event).context.messages[0]!,
    event,
    priority,
  });
  expect(leadingOf([of(told, 1), of(said, 100)])!.event.name).toBe('comment.created');
});
