/** Guards of what conversations share at the model, and of what an upgrade keeps. */
import type { Guard } from './guard.ts';

const PREFIX = ['test/prompt-prefix.test.ts'];

export const PROMPT_GUARDS: Guard[] = [
  {
    name: 'prompt: one path for every CLI folder',
    keeps: 'the system prompts of two conversations from differing by the path of a folder',
    off: [
      {
        mark: 'prompt: one path for every CLI folder, part 1',
        becomes: '...cliFolderAt(r.folders.config, r),',
      },
      { mark: 'prompt: one path for every CLI folder, part 2', becomes: 'config: r.folders.config,' },
    ],
    tests: { files: [...PREFIX, 'src/container/place.test.ts'] },
  },
  {
    name: 'prompt: first prompts begin alike',
    keeps: 'the CLI’s own line, first in its system prompt, from differing with the sender or the skill',
    off: [{ mark: 'prompt: first prompts begin alike', becomes: '' }],
    tests: { files: PREFIX },
  },
  {
    name: 'prompt: a history from before finds its files',
    keeps:
      'a conversation that was begun with the CLI folder at its own path from naming files that are not there',
    off: [{ mark: 'prompt: a history from before finds its files', becomes: 'namesFolder: false,' }],
    tests: { files: ['src/sessions/former-path.test.ts'] },
  },
  {
    name: 'prompt: both places of the CLI folder are closed',
    keeps: 'a marked run from writing what steers later runs through the path of before',
    off: [
      {
        mark: 'prompt: both places of the CLI folder are closed',
        becomes:
          "...(target === CONFIG_INSIDE ? closed : []).map((path) => mount(join(folders.config, path), join(target, path), 'read')),",
      },
    ],
    tests: { files: ['src/container/place.test.ts'] },
  },
  {
    name: 'prompt: task and repository before sender and text',
    keeps: 'a skill from beginning with who wrote what, which no two conversations share',
    off: [
      {
        file: 'defaults/skills/work-on-issue.md',
        find: 'Do what is asked for below,',
        replace: 'Do what {{ event.sender.login | one_line }} asks for below,',
      },
    ],
    tests: { files: ['src/flows/prompt.test.ts'] },
  },
];
