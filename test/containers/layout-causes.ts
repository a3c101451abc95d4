/** What a wrong layout of mounts, users and paths does. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Cause, cannot, NO_MOUNTS } from './cause.ts';
import {
  freshUnsaved,
  rebuilt,
  rebuiltUnsaved,
  restored,
  resumed,
  toldUnsaved,
  toldUnsavedAgain,
  unsaved,
} from './expected.ts';
import {
  type Change,
  changed,
  ELSEWHERE_INSIDE,
  emptyVolume,
  LEAKED,
  MOVED_INSIDE,
  NOT_MOUNTED,
  PROJECTS_READ_ONLY,
  READ_ONLY,
} from './layouts.ts';
import type { Stage } from './stage.ts';

const inLayout = (change: Change) => (stage: Stage) => ({
  turn: { engine: changed(stage.test.engine, change) },
});
const lost = rebuilt('transcript-not-written');

/** Readable and not writable: the CLI reports nothing, answers with the whole history, and loses the turn. */
const silent = (name: string, change: Change): Cause[] => [
  { name, arrange: inLayout(change), during: unsaved, after: lost },
  {
    name: `${name}, from the first run on`,
    first: freshUnsaved,
    arrange: inLayout(change),
    during: rebuiltUnsaved,
    after: lost,
  },
];

/** Nothing of the folder is seen inside: "No conversation found" on every rung that reads it. */
const unseen = (name: string, cause: Pick<Cause, 'arrange' | 'cannot'>): Cause[] => [
  { ...cause, name, during: toldUnsaved, after: lost },
  {
    ...cause,
    name: `${name}, from the first run on`,
    first: freshUnsaved,
    during: toldUnsavedAgain,
    after: lost,
  },
];

export const LAYOUT_CAUSES: Cause[] = [
  ...silent('the CLI folder is read-only', READ_ONLY),
  ...silent('projects is read-only', PROJECTS_READ_ONLY),
  ...unseen('the CLI folder is not mounted', {
    cannot: cannot(NO_MOUNTS, 'process'),
    arrange: inLayout(NOT_MOUNTED),
  }),
  ...unseen('the CLI folder stands elsewhere inside, and the CLI is not told', {
    cannot: cannot(NO_MOUNTS, 'process'),
    arrange: inLayout(ELSEWHERE_INSIDE),
  }),
  ...unseen('a tmpfs, or an empty volume, in place of the CLI folder', {
    arrange: (stage) => inLayout(emptyVolume(stage.c.folder))(stage),
  }),
  {
    name: 'CLAUDE_CODE_SKIP_PROMPT_HISTORY leaks in',
    alike: true,
    arrange: inLayout(LEAKED),
    during: resumed,
  },
  {
    name: 'the container is made anew with its volume',
    ownFirstTurn: true,
    arrange: async ({ container }) => {
      await container!.stop();
      return {};
    },
    during: resumed,
  },
  {
    name: 'the CLI folder stands elsewhere inside, and the CLI is told',
    cannot: cannot(NO_MOUNTS, 'process'),
    arrange: inLayout(MOVED_INSIDE),
    during: resumed,
    after: resumed,
  },
  {
    name: 'the checkout stands elsewhere',
    alike: true,
    arrange: ({ c }) => {
      const cwd = join(c.folder, 'moved-checkout');
      renameSync(c.cwd, cwd);
      return { turn: { cwd } };
    },
    during: resumed,
  },
  {
    name: 'the state folder has moved',
    alike: true,
    archive: false,
    arrange: ({ c }) => {
      renameSync(c.state, `${c.state}-2`);
      return { turn: { state: `${c.state}-2` } };
    },
    during: resumed,
  },
  {
    name: 'another state folder, and the old one is still there; no archive',
    archive: false,
    arrange: ({ c }) => ({ turn: { state: `${c.state}-2` } }),
    during: restored('other-home'),
  },
  {
    name: 'another state folder, and the old one is gone',
    alike: true,
    arrange: ({ c }) => {
      rmSync(c.state, { recursive: true });
      return { turn: { state: `${c.state}-2` } };
    },
    during: restored('disk-missing'),
  },
  {
    name: 'another state folder, and the old one is gone; no archive',
    archive: false,
    arrange: ({ c }) => {
      rmSync(c.state, { recursive: true });
      return { turn: { state: `${c.state}-2` } };
    },
    during: rebuilt('disk-missing'),
  },
  {
    name: 'the user of the container changes, and changes back',
    arrange: () => ({ turn: { settings: { user: { uid: 1000, gid: 1000 } } } }),
    during: resumed,
    after: resumed,
  },
];
