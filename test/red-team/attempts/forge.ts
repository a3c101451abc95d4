import type { ToolAttempt } from '../attempt.ts';

export const FORGE: ToolAttempt[] = [
  {
    name: 'comment on another issue',
    tool: 'comment',
    input: { number: 2, text: 'From elsewhere.' },
    shows: /#2 is not an item of this conversation/,
  },
  {
    name: 'comment on an issue of another repository, by a field nobody offers',
    tool: 'comment',
    input: { number: 2, text: 'From elsewhere.', repository: 'ada/other', owner: 'ada', repo: 'other' },
    shows: /is not an item of this conversation/,
  },
  {
    name: "edit another's comment",
    tool: 'edit_comment',
    input: { comment_id: '{{ recall.comment }}', text: 'I was never here.' },
    shows: /was written by ada/,
  },
  {
    name: 'label another issue',
    tool: 'add_labels',
    input: { number: 2, labels: ['mine'] },
    shows: /#2 is not an item of this conversation/,
  },
  {
    name: 'assign somebody to another issue',
    tool: 'assign',
    input: { number: 2, logins: ['bob'] },
    shows: /#2 is not an item of this conversation/,
  },
  {
    name: 'create an issue',
    tool: 'create_issue',
    input: { title: 'New', body: 'New.' },
    shows: /No such tool|not an item|outside of this conversation/,
    audited: false,
  },
  {
    name: 'merge a pull request',
    tool: 'merge',
    input: { number: 1, sha: '0'.repeat(40) },
    shows: /No such tool/,
    audited: false,
  },
  {
    name: 'set a status where nothing of this conversation is',
    tool: 'set_status',
    input: {
      number: 2,
      head_sha: '0'.repeat(40),
      state: 'success',
      context: 'ci/tests',
      description: 'All green.',
    },
    shows: /#2 is not an item of this conversation/,
  },
];
