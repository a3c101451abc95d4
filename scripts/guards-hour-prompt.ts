/** Guards of what conversations share at the model, and of what an upgrade keeps. */
import type { Guard } from './guards.ts';

const PLACE = 'src/container/place.ts';
const PREFIX = ['test/prompt-prefix.test.ts'];

export const HOUR_PROMPT_GUARDS: Guard[] = [
  {
    name: 'prompt: one path for every CLI folder',
    keeps: 'the system prompts of two conversations from differing by the path of a folder',
    off: [
      {
        file: PLACE,
        find: '    ...cliFolderAt(CONFIG_INSIDE, r),\n',
        replace: '    ...cliFolderAt(r.folders.config, r),\n',
      },
      { file: PLACE, find: '    config: CONFIG_INSIDE,\n', replace: '    config: r.folders.config,\n' },
    ],
    tests: { files: [...PREFIX, 'src/container/place.test.ts'] },
  },
  {
    name: 'prompt: first prompts begin alike',
    keeps: 'the CLI’s own line, first in its system prompt, from differing with the sender or the skill',
    off: [
      {
        file: 'src/worker/prompts.ts',
        find: "    ...(form === 'full' ? [BEGINNING] : []),\n",
        replace: '',
      },
    ],
    tests: { files: PREFIX },
  },
  {
    name: 'prompt: a history from before finds its files',
    keeps:
      'a conversation that was begun with the CLI folder at its own path from naming files that are not there',
    off: [
      {
        file: 'src/agent-runner.ts',
        find: 'namesFolder: await namesFolder(plan),',
        replace: 'namesFolder: false,',
      },
    ],
    tests: { files: ['src/sessions/former-path.test.ts'] },
  },
  {
    name: 'prompt: both places of the CLI folder are closed',
    keeps: 'a marked run from writing what steers later runs through the path of before',
    off: [
      {
        file: PLACE,
        find: "    ...closed.map((path) => mount(join(folders.config, path), join(target, path), 'read')),\n",
        replace:
          "    ...(target === CONFIG_INSIDE ? closed : []).map((path) => mount(join(folders.config, path), join(target, path), 'read')),\n",
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
