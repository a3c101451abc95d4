/** What a machine does to the files of the CLI between two runs. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PROJECT_FOLDER_NAME } from '../../src/sessions/folders.ts';
import type { Cause } from './cause.ts';
import { type Expected, rebuilt, restored, resumed, unsaved } from './expected.ts';
import type { Stage } from './stage.ts';

/** With the archive the bytes come back. Without it, what the rows know comes back. */
function loss(
  name: string,
  reason: string,
  breakIt: (stage: Stage, archive: boolean) => void | Promise<void>,
): Cause[] {
  const alike = name !== 'the container is made anew and its volume is gone';
  const arrange = (archive: boolean) => async (stage: Stage) => {
    await breakIt(stage, archive);
    return {};
  };
  return [
    { name, alike, arrange: arrange(true), during: restored(reason) },
    { name: `${name}; no archive`, alike, archive: false, arrange: arrange(false), during: rebuilt(reason) },
  ];
}

const config = ({ c }: Stage) => c.folders().config;
const transcript = async ({ c }: Stage) => c.transcript(await c.session());

function unaffected(name: string, breakIt: (stage: Stage) => void): Cause {
  return {
    name,
    alike: true,
    arrange: (stage) => {
      breakIt(stage);
      return {};
    },
    during: resumed,
  };
}

export const FILE_CAUSES: Cause[] = [
  ...loss('the container is made anew and its volume is gone', 'disk-missing', (stage) =>
    rmSync(config(stage), { recursive: true }),
  ),
  ...loss('the transcript is deleted', 'disk-missing', async (stage) => rmSync(await transcript(stage))),
  ...loss('the transcript is empty', 'disk-empty', async (stage) => truncateSync(await transcript(stage))),
  ...loss('the transcript is cut', 'disk-head-missing', async (stage) => {
    const file = await transcript(stage);
    truncateSync(file, readFileSync(file).indexOf('"role":"assistant"'));
  }),
  ...loss('the transcript is garbage', 'disk-garbage', async (stage) => {
    const file = await transcript(stage);
    writeFileSync(file, Buffer.alloc(readFileSync(file).length, 0xfe));
  }),
  ...loss('an older copy of the volume is put back', 'disk-head-missing', async (stage, archive) => {
    const copy = join(stage.c.folder, 'backup');
    cpSync(config(stage), copy, { recursive: true });
    stage.learn(await stage.ask({ archive }));
    rmSync(config(stage), { recursive: true });
    renameSync(copy, config(stage));
  }),
  {
    name: 'the project folder bears another name; no archive',
    archive: false,
    arrange: (stage) => {
      const projects = join(config(stage), 'projects');
      renameSync(join(projects, PROJECT_FOLDER_NAME), join(projects, '-work-other'));
      return {};
    },
    during: restored('other-project-folder'),
  },
  unaffected('.claude.json is cut', (stage) => {
    writeFileSync(join(config(stage), '.claude.json'), '{"oauth');
  }),
  unaffected('settings.json in the CLI folder sends the CLI elsewhere', (stage) => {
    writeFileSync(join(config(stage), 'settings.json'), JSON.stringify(HOSTILE_SETTINGS));
  }),
  unaffected('.claude/settings.json in the checkout sends the CLI elsewhere', ({ c }) => {
    for (const name of ['settings.json', 'settings.local.json']) {
      mkdirSync(join(c.cwd, '.claude'), { recursive: true });
      writeFileSync(join(c.cwd, '.claude', name), JSON.stringify(HOSTILE_SETTINGS));
    }
  }),
  {
    name: 'the disk is full',
    arrange: (stage) => fullDisk(stage),
    during: unsaved,
    after: rebuilt('transcript-not-written'),
  },
  {
    name: 'the files in the CLI folder belong to another user',
    arrange: (stage) => {
      execFileSync('chown', ['-R', '12345:12345', config(stage)]);
      return {};
    },
    during: resumed,
  },
  {
    name: 'the working folder is missing',
    alike: true,
    arrange: ({ c }) => {
      renameSync(c.cwd, `${c.cwd}-away`);
      return { mend: () => renameSync(`${c.cwd}-away`, c.cwd) };
    },
    during: { ...resumed, rung: 'none', reason: 'is to be mounted and does not exist' } satisfies Expected,
    after: resumed,
  },
];

/** Each of these sends history, settings or requests to another place, or to none. */
const HOSTILE_SETTINGS = {
  cleanupPeriodDays: 1,
  disableAllHooks: true,
  env: {
    CLAUDE_CODE_SKIP_PROMPT_HISTORY: '1',
    CLAUDE_CONFIG_DIR: '/tmp/elsewhere',
    CLAUDE_CODE_PROJECT_DIR_NAME: 'elsewhere',
    ANTHROPIC_UNIX_SOCKET: '/tmp/nobody.sock',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
    HOME: '/tmp/elsewhere',
  },
};

const DISK_BYTES = 4 * 1024 * 1024;

/** Its own small disk below the CLI folder, filled to the last byte. */
function fullDisk(stage: Stage) {
  const folder = config(stage);
  const files = join(stage.c.folder, 'files-of-the-disk');
  renameSync(folder, files);
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'claude-hooks-test', folder]);
  stage.later(() => execFileSync('umount', ['-l', folder]));
  cpSync(files, folder, { recursive: true });
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  return { mend: () => rmSync(ballast) };
}
