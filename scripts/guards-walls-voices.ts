/** Guards of whose words a text is: author, trust and time of each piece. */
import type { Guard } from './guards.ts';

const MARKER = 'test/red-team/strangers-marker.test.ts';
const PLACES = 'test/red-team/strangers-places.test.ts';

export const WALLS_VOICES_GUARDS: Guard[] = [
  {
    name: "voices: a reply's own author",
    keeps: "a stranger's reply inside a trusted person's review from passing for that person's words",
    off: [
      {
        file: 'src/forge/gitea-family-client.ts',
        find: 'reviews.push(toReview(answer, verdict, inline.map(toInline)));',
        replace:
          'reviews.push(toReview(answer, verdict, inline.map((c) => toInline({ ...c, user: answer.user }))));',
      },
    ],
    tests: { files: [MARKER, 'src/forge/gitea-family-reviews.test.ts'], named: 'MARK-reply|own author' },
  },
  {
    name: 'voices: label of words in a line',
    keeps: "a stranger's title, branch or file from standing in a line of ours without a label",
    off: [
      {
        file: 'src/voices.ts',
        find: "return `${quotedLine(text)}${labelOf({ ...voice, what: '', detail: '' })}`;",
        replace: 'return text;',
      },
    ],
    tests: { files: [PLACES, 'src/config/words.test.ts'] },
  },
  {
    name: 'voices: label of a fence',
    keeps: "a stranger's text from standing in a fence that a skill labelled as it liked",
    off: [
      {
        file: 'src/config/words.ts',
        find: "const whole = this.trusted ? given || own : given === '' ? own : `${own}: ${given}`;",
        replace: 'const whole = given || this.what;',
      },
    ],
    tests: { files: [PLACES, 'src/config/words.test.ts'] },
  },
  {
    name: 'voices: filters keep the voice',
    keeps: 'a skill from cutting the label off with a filter',
    off: [
      {
        file: 'src/config/word-filters.ts',
        find: 'if (words.length === 0) return call.apply(this, given);',
        replace: 'if (words.length >= 0) return call.apply(this, given);',
      },
    ],
    tests: { files: ['src/config/words.test.ts'] },
  },
  {
    name: 'voices: both who wrote and who edited',
    keeps: "a stranger's comment that a trusted person edited from becoming trusted",
    off: [
      {
        file: 'src/voices.ts',
        find: 'const trusted = authors.length > 0 && strangers.length === 0 && !perhapsEdited;',
        replace: 'const trusted = authors.length > 0 && strangers.length < authors.length;',
      },
    ],
    tests: { files: ['src/worker/voices.test.ts', 'src/config/words.test.ts'] },
  },
  {
    name: 'voices: edits we were told of',
    keeps: "a description or comment that somebody else edited from passing for its author's alone",
    off: [
      {
        file: 'src/worker/edits.ts',
        find: "return outcome.kind === 'event' ? [outcome.event] : [];",
        replace: 'return [];',
      },
    ],
    tests: { files: ['src/worker/voices.test.ts'] },
  },
  {
    name: 'voices: pinned remarks',
    keeps: "a stranger's inline comment that was edited or added after the trigger from being read",
    off: [
      {
        file: 'src/worker/pinned-text.ts',
        find: 'const inline = among.filter((c) => pinned.has(c.id) || isAsItWas(c, moment));',
        replace: 'const inline = among.filter((c) => c.id > 0);',
      },
    ],
    tests: { files: [MARKER], named: 'as they were' },
  },
  {
    name: 'voices: a draft is as old as its submission',
    keeps: 'a review that was begun before the trigger and submitted after it from being read',
    off: [
      {
        file: 'src/worker/pinned-text.ts',
        find: 'Date.parse(review.updatedAt || review.submittedAt) < woken',
        replace: 'Date.parse(review.submittedAt) < woken',
      },
    ],
    tests: { files: [MARKER], named: 'as they were' },
  },
  {
    name: 'voices: tools label by piece',
    keeps: 'a tool from answering a reply of a stranger as the words of the reviewer',
    off: [
      {
        file: 'src/broker/texts.ts',
        find: 'const voice = voiceOf(vouching, { what: `${what} ${id}`, authors: [author], editorUnknown });',
        replace:
          'const voice = voiceOf({ ...vouching, ids: { has: () => true } }, { what: `${what} ${id}`, authors: [author], editorUnknown });',
      },
    ],
    tests: { files: [PLACES] },
  },
  {
    name: 'voices: no commits in a reminder',
    keeps: "the CLI from reporting a stranger's commit messages without saying whose they are",
    off: [
      {
        file: 'src/agent-runner/project-limits.ts',
        find: "  CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS: '1',",
        replace: '',
      },
    ],
    tests: { files: [MARKER], named: 'MARK-commit' },
  },
];
