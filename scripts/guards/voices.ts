/** Guards of whose words a text is: author, trust and time of each piece. */
import type { Guard } from './guard.ts';

const MARKER = 'test/red-team/strangers-marker.test.ts';
const PLACES = 'test/red-team/strangers-places.test.ts';

export const VOICES_GUARDS: Guard[] = [
  {
    name: "voices: a reply's own author",
    keeps: "a stranger's reply inside a trusted person's review from passing for that person's words",
    off: [
      {
        mark: "voices: a reply's own author",
        becomes:
          'reviews.push(toReview(answer, verdict, inline.map((c) => toInline({ ...c, user: answer.user }))));',
      },
    ],
    tests: { files: [MARKER, 'src/forges/gitea/reviews.test.ts'], named: 'MARK-reply|own author' },
  },
  {
    name: 'voices: label of words in a line',
    keeps: "a stranger's title, branch or file from standing in a line of ours without a label",
    off: [{ mark: 'voices: label of words in a line', becomes: 'return text;' }],
    tests: { files: [PLACES, 'src/config/words.test.ts'] },
  },
  {
    name: 'voices: label of a fence',
    keeps: "a stranger's text from standing in a fence that a skill labelled as it liked",
    off: [{ mark: 'voices: label of a fence', becomes: 'const whole = given || this.what;' }],
    tests: { files: [PLACES, 'src/config/words.test.ts'] },
  },
  {
    name: 'voices: filters keep the voice',
    keeps: 'a skill from cutting the label off with a filter',
    off: [
      {
        mark: 'voices: filters keep the voice',
        becomes: 'if (words.length >= 0) return call.apply(this, given);',
      },
    ],
    tests: { files: ['src/config/words.test.ts'] },
  },
  {
    name: 'voices: both who wrote and who edited',
    keeps: "a stranger's comment that a trusted person edited from becoming trusted",
    off: [
      {
        mark: 'voices: both who wrote and who edited',
        becomes: 'const trusted = authors.length > 0 && strangers.length < authors.length;',
      },
    ],
    tests: { files: ['src/dispatch/screen/voices.test.ts', 'src/config/words.test.ts'] },
  },
  {
    name: 'voices: edits we were told of',
    keeps: "a description or comment that somebody else edited from passing for its author's alone",
    off: [{ mark: 'voices: edits we were told of', becomes: 'return [];' }],
    tests: { files: ['src/dispatch/screen/voices.test.ts'] },
  },
  {
    name: 'voices: pinned remarks',
    keeps: "a stranger's inline comment that was edited or added after the trigger from being read",
    off: [{ mark: 'voices: pinned remarks', becomes: 'const inline = among.filter((c) => c.id > 0);' }],
    tests: { files: [MARKER], named: 'as they were' },
  },
  {
    name: 'voices: a draft is as old as its submission',
    keeps: 'a review that was begun before the trigger and submitted after it from being read',
    off: [
      {
        mark: 'voices: a draft is as old as its submission',
        becomes: 'const isNew = !(Date.parse(review.submittedAt) < woken);',
      },
    ],
    tests: { files: [MARKER], named: 'as they were' },
  },
  {
    name: 'voices: tools label by piece',
    keeps: 'a tool from answering a reply of a stranger as the words of the reviewer',
    off: [
      {
        mark: 'voices: tools label by piece',
        becomes:
          'const voice = voiceOf({ ...vouching, ids: { has: () => true } }, { what: `${what} ${id}`, authors: [author], editorUnknown });',
      },
    ],
    tests: { files: [PLACES] },
  },
  {
    name: 'voices: no commits in a reminder',
    keeps: "the CLI from reporting a stranger's commit messages without saying whose they are",
    off: [{ mark: 'voices: no commits in a reminder', becomes: '' }],
    tests: { files: [MARKER], named: 'MARK-commit' },
  },
];
