/** The facts as a list of checks, each with what was seen. Pure. */
import { type Copy, isUsable } from '../sessions/copies.ts';
import type { SessionFacts } from '../sessions/surroundings.ts';
import { count, oneLine, showTime } from '../terminal-text.ts';
import type { Check } from './diagnosis.ts';
import { timeOf } from './stored.ts';

export function checksOf(facts: SessionFacts, asked: string): Check[] {
  return [
    idCheck(facts, asked),
    chainCheck(facts),
    transcriptCheck(facts),
    headCheck(facts),
    accessCheck(facts),
    ownerCheck(facts),
    spaceCheck(facts),
    projectFolderCheck(facts),
    elsewhereCheck(facts),
    cleanupCheck(facts),
    configCheck(facts),
    archiveCheck(facts),
    cliCheck(facts),
    resumesCheck(facts),
  ];
}

function check(name: string, ok: boolean, detail: string): Check {
  return { name, ok, detail };
}

function idCheck({ session, wellFormed }: SessionFacts, asked: string): Check {
  if (!wellFormed)
    return check('id', false, `${session.id} is no lower-case UUID, and the CLI finds no other`);
  if (asked !== asked.toLowerCase()) {
    return check(
      'id',
      false,
      `asked for as ${oneLine(asked)}; the CLI finds only the lower-case ${session.id}`,
    );
  }
  return check('id', true, `${session.id} is number ${session.ordinal} of its conversation's chain`);
}

function chainCheck({ session, current, running }: SessionFacts): Check {
  const run = running === undefined ? '' : `; dispatch ${running.id} is running, its files change`;
  const reason = session.reason === null ? '' : ` (${oneLine(session.reason)})`;
  const next = session.replaced_by === null ? '' : `, followed by ${session.replaced_by}`;
  return check('chain', current, `the session is ${session.state}${reason}${next}${run}`);
}

function transcriptCheck({ disk, transcript, folderExists, leftovers }: SessionFacts): Check {
  const aside = leftovers.length === 0 ? '' : `; beside it: ${leftovers.join(', ')}`;
  if (!folderExists && disk.state === 'missing') {
    return check('transcript', false, `not even its CLI folder exists: ${transcript}`);
  }
  return check('transcript', disk.state === 'good', `${transcript} is ${describeCopy(disk)}${aside}`);
}

function headCheck({ session, disk, foreignIds }: SessionFacts): Check {
  const foreign =
    foreignIds.length === 0
      ? ''
      : `; ${disk.bytes!.length} bytes on disk carry session ${foreignIds.slice(0, 3).join(', ')}${foreignIds.length > 3 ? ' and others' : ''}`;
  if (session.head === null) return check('head', true, `no answer was ever verified${foreign}`);
  const verified = `answer ${session.head} was verified in ${session.size} bytes on ${showTime(timeOf(session.verified_at))}`;
  const holds = disk.state === 'good' || disk.state === 'damaged';
  const found = holds ? 'and is there' : 'and is not there';
  return check('head', holds, `${verified}, ${found}${foreign}`);
}

function accessCheck({ access }: SessionFacts): Check {
  const errors = [
    ...(access.readError === null ? [] : [`cannot be read (${access.readError})`]),
    ...(access.writeError === null ? [] : [`cannot be written (${access.writeError})`]),
  ];
  const who = access.ourUid === null ? 'this process' : `this process, uid ${access.ourUid}`;
  return errors.length === 0
    ? check('access', true, `${access.path} can be read and written by ${who}`)
    : check('access', false, `${access.path} ${errors.join(' and ')} by ${who}`);
}

function ownerCheck({ access }: SessionFacts): Check {
  if (access.ownerUid === null || access.ourUid === null) return check('owner', true, 'unknown here');
  return access.ownerUid === access.ourUid
    ? check('owner', true, `uid ${access.ownerUid}, as this process`)
    : check(
        'owner',
        false,
        `${access.path} belongs to uid ${access.ownerUid}, this process is uid ${access.ourUid}`,
      );
}

/** A full disk loses transcript lines, and the CLI says so only after its result. */
const LEAST_FREE_BYTES = 64 << 20;

function spaceCheck({ access }: SessionFacts): Check {
  if (access.freeBytes === null) return check('space', true, 'unknown here');
  const megabytes = Math.floor(access.freeBytes / (1 << 20));
  return check('space', access.freeBytes >= LEAST_FREE_BYTES, `${megabytes} MB are free, 64 MB are needed`);
}

function projectFolderCheck({ strays, isFolderOdd, transcript }: SessionFacts): Check {
  if (isFolderOdd) {
    const what = `a link or a file stands above ${transcript} in the place of a folder`;
    return check('project folder', false, `${what}; the next dispatch moves it aside`);
  }
  return strays.length === 0
    ? check('project folder', true, 'no other project folder holds this id')
    : check(
        'project folder',
        false,
        `also or only in another project folder: ${strays.map(describeFound).join('; ')}`,
      );
}

function elsewhereCheck({ disk, elsewhere, formerFolder, session }: SessionFacts): Check {
  if (isUsable(disk)) return check('elsewhere', true, 'not searched: the copy in its place can be used');
  const moved =
    formerFolder === null
      ? []
      : [`written in ${formerFolder}, the CLI will look in ${session.config_folder}`];
  const found = elsewhere.map(describeFound);
  return found.length + moved.length === 0
    ? check('elsewhere', true, 'no copy was found in another CLI folder or home')
    : check('elsewhere', false, [...moved, ...found].join('; '));
}

function cleanupCheck({ cleanupAt, session, disk }: SessionFacts): Check {
  if (cleanupAt === null) return check('cleanup', true, "the CLI's cleanup has not run here");
  const since = session.verified_at ?? session.created_at;
  const days = Math.floor((cleanupAt - since) / 86_400_000);
  const when = `the CLI's cleanup ran on ${showTime(timeOf(cleanupAt))}`;
  return disk.state === 'missing' && cleanupAt > since
    ? check(
        'cleanup',
        false,
        `${when}, ${count(days, 'day')} after this session was last in use; its default keeps 30 days`,
      )
    : check('cleanup', true, when);
}

function configCheck({ configBroken, session }: SessionFacts): Check {
  return configBroken
    ? check(
        '.claude.json',
        false,
        `${session.config_folder}/.claude.json is no JSON: the CLI refuses to start`,
      )
    : check('.claude.json', true, 'absent or sound');
}

function archiveCheck({ archive, archived, archiveHole }: SessionFacts): Check {
  const size = `${archived.bytes?.length ?? 0} bytes`;
  switch (archive) {
    case 'missing':
      return check(
        'archive',
        false,
        archiveHole ? 'names the file, but has not all of it' : 'has nothing of it',
      );
    case 'equal':
      return check('archive', true, `equal to the disk, ${size}`);
    case 'behind':
      return check('archive', true, `a beginning of what is on the disk, ${size}`);
    case 'ahead':
      return check('archive', false, `has more than the disk: ${describeCopy(archived)}`);
    case 'diverged':
      return check('archive', false, `differs from the disk: ${describeCopy(archived)}`);
  }
}

function cliCheck({ session, disk, options }: SessionFacts): Check {
  const wrote = session.cli_version ?? disk.transcript?.cliVersion ?? null;
  if (wrote === null)
    return check('CLI', true, `unknown version wrote it; ${options.currentCliVersion} would resume it`);
  return check(
    'CLI',
    wrote === options.currentCliVersion,
    `CLI ${wrote} wrote it, ${options.currentCliVersion} would resume it`,
  );
}

function resumesCheck({ session }: SessionFacts): Check {
  const failed = session.failed_resumes;
  return check('resumes', failed === 0, `${count(failed, 'resume')} failed since the last success`);
}

function describeFound(found: { file: string; copy: Copy }): string {
  return `${found.file} is ${describeCopy(found.copy)}`;
}

function describeCopy({ state, bytes, transcript, code }: Copy): string {
  const size = bytes === null ? '' : `, ${bytes.length} bytes`;
  switch (state) {
    case 'good':
      return `good${size}`;
    case 'damaged':
      return `damaged: ${count(transcript!.badLines, 'line')} of ${transcript!.lines} do not parse${size}`;
    case 'missing':
      return 'missing';
    case 'unreadable':
      return `unreadable (${code})`;
    case 'empty':
      return 'empty';
    case 'garbage':
      return `without a single turn${size}`;
    case 'head-missing':
      return `without the verified answer: ${count(transcript!.entries.length, 'turn')}${size}`;
  }
}
